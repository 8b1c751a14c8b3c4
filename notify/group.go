package notify

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"github.com/teiten/teiten/notify/db"
)

// heardBefore reports whether a channel was told of a message's thread by other
// alerts than the one that the message is about, and not by that one: it then
// hears neither of its beginning nor of its end.
func heardBefore(ctx context.Context, tx *sql.Tx, channel string, m Message) (bool, error) {
	told, err := db.New(tx).ThreadMessages(ctx, db.ThreadMessagesParams{Thread: m.Thread, Channel: channel, Kind: KindAlertFired})
	if err != nil {
		return false, fmt.Errorf("look for what the channel %s heard: %w", channel, err)
	}
	about := alertOf(m)
	for _, text := range told {
		var before Message
		if err := json.Unmarshal([]byte(text), &before); err != nil {
			return false, fmt.Errorf("read a delivery of %s: %w", channel, err)
		}
		if alertOf(before) == about {
			return false, nil
		}
	}
	return len(told) > 0, nil
}

// alertOf is the id of the alert that a message is about.
func alertOf(m Message) string {
	var a struct {
		ID string `json:"alert"`
	}
	if err := json.Unmarshal(m.Data, &a); err != nil {
		return "" // a message about something else
	}
	return a.ID
}
