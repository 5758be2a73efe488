"""Views for people who ask in SQL. Dropped before and made again after every migration."""

from __future__ import annotations

from sqlalchemy import Connection, text

_ACCEPTED = """
    COALESCE(
        (SELECT CASE WHEN a.event = 'accepted' THEN 1 ELSE 0 END FROM acceptances a
          WHERE a.label_id = l.id AND a.structure = ls.structure ORDER BY a.id DESC LIMIT 1),
        (SELECT CASE WHEN a.event = 'accepted' THEN 1 ELSE 0 END FROM acceptances a
          WHERE a.source_id = l.source_id AND a.structure = ls.structure ORDER BY a.id DESC LIMIT 1),
        0)"""
_WITHDRAWN = _ACCEPTED.replace("acceptances", "withdrawals").replace("'accepted'", "'withdrawn'")

VIEWS = {
    "label_provenance": f"""
        SELECT c.name AS "case",
               c.name || '@' || s.name || '@' || l.revision AS label,
               s.name AS source, l.kind, l.revision, st.name AS structure, ls.mode AS annotated, ls.voxels,
               (SELECT r.task || '/' || r.number FROM rounds r WHERE r.source_id = l.source_id) AS round,
               m.name AS model, l.annotator, o.at AS created,
               {_ACCEPTED} AS accepted, {_WITHDRAWN} AS withdrawn
          FROM labels l
          JOIN cases c ON c.id = l.case_id
          JOIN sources s ON s.id = l.source_id
          JOIN operations o ON o.id = l.operation_id
          JOIN label_structures ls ON ls.label_id = l.id
          JOIN structures st ON st.value = ls.structure
          LEFT JOIN models m ON m.id = l.model_id""",  # noqa: S608  (no user text goes in)
    "case_facts": """
        SELECT c.name AS "case", p.key AS patient, c.split, c.source_dataset, c.slices, c.rows, c.columns,
               c.spacing_z_mm, c.spacing_y_mm, c.spacing_x_mm, c.hu_p0_5, c.hu_p50, c.hu_p99_5,
               c.file_orientation AS orientation, c.file_name, c.excluded,
               (SELECT count(*) FROM labels l WHERE l.case_id = c.id) AS labels
          FROM cases c JOIN patients p ON p.id = c.patient_id""",
    "coverage": """
        SELECT st.name AS structure, l.kind, count(DISTINCT l.case_id) AS cases
          FROM label_structures ls
          JOIN labels l ON l.id = ls.label_id
          JOIN structures st ON st.value = ls.structure
         GROUP BY st.name, l.kind""",
    "round_summary": """
        SELECT r.task || '/' || r.number AS round, r.task, r.number, r.state, sn.name AS snapshot, m.name AS model,
               s.name AS source, o.at AS started
          FROM rounds r
          JOIN snapshots sn ON sn.id = r.snapshot_id
          JOIN operations o ON o.id = r.operation_id
          LEFT JOIN models m ON m.id = r.model_id
          LEFT JOIN sources s ON s.id = r.source_id""",
    "score_summary": """
        SELECT s.name AS source, c.split, st.name AS structure, sc.protocol, sc.metric,
               count(*) AS cases, avg(sc.value) AS mean
          FROM scores sc
          JOIN labels l ON l.id = sc.label_id
          JOIN cases c ON c.id = l.case_id
          JOIN sources s ON s.id = l.source_id
          JOIN structures st ON st.value = sc.structure
         GROUP BY s.name, c.split, st.name, sc.protocol, sc.metric""",
    "run_log": """
        SELECT r.id AS run, r.command, r.arguments, r.actor, r.host, r.version, r.started, r.ended, r.outcome,
               min(o.id) AS first_operation, max(o.id) AS last_operation
          FROM runs r LEFT JOIN operations o ON o.run_id = r.id
         GROUP BY r.id, r.command, r.arguments, r.actor, r.host, r.version, r.started, r.ended, r.outcome""",
}


def drop_views(connection: Connection) -> None:
    """Drop every view, in reverse order of making."""
    for name in reversed(VIEWS):
        connection.execute(text(f"DROP VIEW IF EXISTS {name}"))


def create_views(connection: Connection) -> None:
    """Make every view."""
    for name, query in VIEWS.items():
        connection.execute(text(f"CREATE VIEW {name} AS {query}"))
