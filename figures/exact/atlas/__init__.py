"""Parts of the atlas: regions of a map, their labels, sketches of W, and the panels."""
