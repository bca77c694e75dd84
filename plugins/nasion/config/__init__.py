"""What a run is told: the YAML configuration, the nvinfer file and the model's own metadata."""
