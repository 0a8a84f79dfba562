"""What a campaign has come to: figures, tables and one HTML page."""
