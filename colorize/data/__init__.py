"""Data: LightningDataModules that yield uint8 RGB and know no task."""
