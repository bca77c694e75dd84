"""What a person looks at: pictures with heat map and keypoint, live tables, annotated video."""
