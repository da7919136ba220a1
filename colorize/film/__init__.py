"""Moving pictures: read, coloured steadily, written."""
