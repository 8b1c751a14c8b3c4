package oncall

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/respond/oncall/db"
	"github.com/teiten/teiten/respond/oncall/rota"
)

// EntryHandover says that a shift left a note to the next.
const EntryHandover = "oncall.handover_written"

// Handover is a note that a shift leaves to the next. A correction is another
// note.
type Handover struct {
	ID        string        `json:"id"`
	Schedule  string        `json:"schedule"`
	Body      string        `json:"body" doc:"Text."`
	CreatedAt time.Time     `json:"createdAt"`
	CreatedBy journal.Actor `json:"createdBy"`
}

// handedOver is what the journal says of a note: for whom it is, and from when.
type handedOver struct {
	Handover
	To   []string  `json:"to,omitempty"`
	From time.Time `json:"from,omitzero"`
}

// longestNote is how many bytes a note may have.
const longestNote = 20_000

// HandOver writes a note for whoever comes next.
func (s *Service) HandOver(ctx context.Context, schedule, body string) (h Handover, err error) {
	body = strings.TrimSpace(body)
	if body == "" || len(body) > longestNote {
		return h, fault.New(fault.Invalid, "oncall.handover_empty", text.Say("the note is empty or too long", "引き継ぎメモが空か、長すぎます")).
			Fix(text.Say("say what the next person has to know, in %d bytes at most", "次の人が知っておくべきことを、%dバイト以内で書いてください", longestNote)).On("body")
	}
	if h.ID, err = newID(); err != nil {
		return h, err
	}
	h.Schedule, h.Body, h.CreatedAt, h.CreatedBy = schedule, body, s.stamp(), journal.ActorFrom(ctx)
	err = s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		row, err := scheduleRow(ctx, tx, schedule)
		if err != nil {
			return err
		}
		err = db.New(tx).AddHandover(ctx, db.AddHandoverParams{ID: h.ID, Schedule: row.Name, Body: body, CreatedAt: database.Micros(h.CreatedAt), CreatedBy: database.JSON(h.CreatedBy)})
		if err != nil {
			return fmt.Errorf("save hand-over note of schedule %s: %w", schedule, err)
		}
		e := handedOver{Handover: h}
		l, err := s.load(ctx, tx, row.Name, h.CreatedAt, h.CreatedAt.Add(aheadNext), Then)
		if err != nil {
			return err
		}
		for _, x := range l.plan.Shifts(rota.Primary, h.CreatedAt, h.CreatedAt.Add(aheadNext))[1:] {
			if !x.Gap() {
				e.To, e.From = x.Users, x.From
				break
			}
		}
		return s.tell(ctx, tx, EntryHandover, row.Name, row.Owner, e)
	})
	return h, err
}

// Handovers are the notes of a schedule, the newest first.
func (s *Service) Handovers(ctx context.Context, schedule string, before time.Time, most int) ([]Handover, error) {
	p := db.HandoversOfParams{Schedule: schedule, Most: int32(most)} //nolint:gosec // the API bounds it
	if !before.IsZero() {
		p.BeforeAt = database.Micros(before)
	}
	rows, err := db.New(s.db.Read()).HandoversOf(ctx, p)
	all := make([]Handover, len(rows))
	for i, r := range rows {
		all[i] = Handover{ID: r.ID, Schedule: r.Schedule, Body: r.Body, CreatedAt: database.Time(r.CreatedAt)}
		err = errors.Join(err, database.ReadJSON(r.CreatedBy, &all[i].CreatedBy))
	}
	if err != nil {
		return nil, database.Fault(fmt.Errorf("read hand-over notes of schedule %s: %w", schedule, err))
	}
	return all, nil
}
