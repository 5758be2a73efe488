"""The verbs: what people do, one module each. Only here catalogue, volumes, files and trainers meet."""
