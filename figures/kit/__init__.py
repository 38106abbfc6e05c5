"""What figures share: axes, colours, painters, captions, and how a dataset is computed."""
