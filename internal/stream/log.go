package stream

// Log is the entry of the package.
type Log struct{}
