"""What a look measures: one part of the record a file. Nothing here changes what it is given."""
