"""Where frames come from: one grab is one frame, picture and depth of the same instant."""
