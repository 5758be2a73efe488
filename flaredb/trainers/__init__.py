"""Training and prediction: networks, feed, loss, loop. Sees snapshots and volumes, never the catalogue."""
