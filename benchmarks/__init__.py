"""Side-by-side runs against peers: one command each, one table out."""
