package identity

// SessionEvent is one of SessionOpened, SessionExpiring, SessionExtended and SessionEnded.
type SessionEvent interface{ IsSessionEvent() }

// IsSessionEvent implements SessionEvent.
func (SessionOpened) IsSessionEvent() {}

// IsSessionEvent implements SessionEvent.
func (SessionExpiring) IsSessionEvent() {}

// IsSessionEvent implements SessionEvent.
func (SessionExtended) IsSessionEvent() {}

// IsSessionEvent implements SessionEvent.
func (SessionEnded) IsSessionEvent() {}
