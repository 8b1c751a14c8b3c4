package access

import "time"

// Session is a browser in which a person has signed in. The address and agent
// are those it was last seen with, for the person to recognise it by.
type Session struct {
	ID        string    `json:"id"`
	UserID    string    `json:"userId"`
	Current   bool      `json:"current" doc:"Whether this very request came from it."`
	CreatedAt time.Time `json:"createdAt"`
	SeenAt    time.Time `json:"seenAt" doc:"To within a minute."`
	ExpiresAt time.Time `json:"expiresAt" doc:"When it ends however much it is used."`
	Address   string    `json:"address"`
	Agent     string    `json:"agent"`
}

const (
	// sessionIdle is how long a session lives without being used: a weekend, so
	// that nobody has to find a password on Monday's first page.
	sessionIdle = 72 * time.Hour
	// sessionLife is how long a session lives at most.
	sessionLife = 30 * 24 * time.Hour
	// seenEvery is how exactly the last use is known; it spares a write for
	// each request.
	seenEvery = time.Minute
	// usedEvery is the same of tokens.
	usedEvery = 5 * time.Minute
	// deviceLife is how long a browser counts as known.
	deviceLife = 180 * 24 * time.Hour
)

// alive reports whether the session may still be used.
func (s Session) alive(now time.Time) bool {
	return now.Before(s.ExpiresAt) && now.Sub(s.SeenAt) < sessionIdle
}
