"""The calls of the API, each answered from the world. What goes wrong on the way is `distortion`'s business."""
