"""Two thumbnails and what is known of their files to a grade and its reason; pure."""
