package oncall

import (
	"time"

	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/respond/oncall/rota"
)

// Override changes who is on call for a time. Person comes, or goes where the
// change is to remove; Instead goes, and is empty where everybody does.
type Override struct {
	ID        string         `json:"id"`
	Schedule  string         `json:"schedule"`
	Role      rota.Role      `json:"role" enum:"primary,secondary,shadow"`
	Change    rota.Change    `json:"change" enum:"add,remove,replace"`
	Person    string         `json:"person" doc:"Who comes, or goes where the change is remove."`
	Instead   string         `json:"instead,omitempty" doc:"Who goes; everybody where it is absent."`
	From      time.Time      `json:"from"`
	To        time.Time      `json:"to"`
	Reason    string         `json:"reason,omitempty"`
	Swap      string         `json:"swap,omitempty" doc:"The swap that it comes from."`
	CreatedAt time.Time      `json:"createdAt"`
	CreatedBy journal.Actor  `json:"createdBy"`
	EndedAt   *time.Time     `json:"endedAt,omitempty" doc:"When it was taken back. What was so until then stays so."`
	EndedBy   *journal.Actor `json:"endedBy,omitempty"`
}

// rota is the override as the pure rules know it.
func (o Override) rota() rota.Override {
	r := rota.Override{ID: o.ID, Role: o.Role, Change: o.Change, User: o.Person, Instead: o.Instead, From: o.From, To: o.To}
	if o.EndedAt != nil {
		r.Ended = *o.EndedAt
	}
	return r
}
