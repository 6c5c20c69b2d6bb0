package chat

// Service is the domain's entry.
type Service struct{}
