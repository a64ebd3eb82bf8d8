"""What made cases fail: misreadings of the definition that give just what was returned, and what failures share."""
