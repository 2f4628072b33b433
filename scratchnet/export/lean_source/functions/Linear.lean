/-- y = W x: W has a row for each output. -/
structure Linear where
  W : Array (Array Float32)
