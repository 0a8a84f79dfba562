"""How pages and figures look; what they show is handed in."""
