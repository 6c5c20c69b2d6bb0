package identity

// Live knows the sessions behind open sockets.
type Live struct{}
