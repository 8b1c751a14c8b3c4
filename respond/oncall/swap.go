package oncall

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/respond/oncall/db"
	"github.com/teiten/teiten/respond/oncall/rota"
)

// The kinds of journal entries about swaps.
const (
	EntrySwapAsked     = "oncall.swap_asked"
	EntrySwapAccepted  = "oncall.swap_accepted"
	EntrySwapDeclined  = "oncall.swap_declined"
	EntrySwapWithdrawn = "oncall.swap_withdrawn"
)

// SwapState is where a swap stands.
type SwapState string

// The states of a swap. Expired is one that nobody answered before its time was
// over; it follows from the clock and is not stored.
const (
	Requested SwapState = "requested"
	Accepted  SwapState = "accepted"
	Declined  SwapState = "declined"
	Withdrawn SwapState = "withdrawn"
	Expired   SwapState = "expired"
)

// Swap is that somebody asked somebody to take their time on call, in return for
// a time of theirs or for nothing.
type Swap struct {
	ID        string         `json:"id"`
	Schedule  string         `json:"schedule"`
	Role      rota.Role      `json:"role" enum:"primary,secondary,shadow"`
	Asker     string         `json:"asker"`
	Asked     string         `json:"asked" doc:"Who would take the asker's time."`
	From      time.Time      `json:"from"`
	To        time.Time      `json:"to"`
	Back      *Span          `json:"back,omitempty" doc:"The time of the asked that the asker takes in return."`
	Reason    string         `json:"reason,omitempty"`
	State     SwapState      `json:"state" enum:"requested,accepted,declined,withdrawn,expired"`
	CreatedAt time.Time      `json:"createdAt"`
	CreatedBy journal.Actor  `json:"createdBy"`
	SettledAt *time.Time     `json:"settledAt,omitempty"`
	SettledBy *journal.Actor `json:"settledBy,omitempty"`
}

// NewSwap is what somebody asks for.
type NewSwap struct {
	Role   rota.Role `json:"role,omitempty" enum:"primary,secondary,shadow" default:"primary"`
	Asker  string    `json:"asker,omitempty" maxLength:"200" doc:"Whose time it is; the caller where it is absent."`
	Asked  string    `json:"asked" minLength:"1" maxLength:"200" doc:"Who is to take it."`
	From   time.Time `json:"from"`
	To     time.Time `json:"to"`
	Back   *Span     `json:"back,omitempty" doc:"The time of the asked that is taken in return."`
	Reason string    `json:"reason,omitempty" maxLength:"1000" doc:"Everybody can read it."`
}

// at is the swap as it stands at an instant.
func (w Swap) at(now time.Time) Swap {
	if w.State == Requested && !w.To.After(now) {
		w.State = Expired
	}
	return w
}

// may reports whether somebody may settle the swap so: the asked accepts and
// declines, the asker withdraws, and owners of the schedule may do all.
func (w Swap) may(who actor, to SwapState) bool {
	if to == Withdrawn {
		return who.owns || who.name == w.Asker
	}
	return who.owns || who.name == w.Asked // nobody's name is empty
}

// overrides are what an accepted swap changes.
func (w Swap) overrides() []Override {
	base := Override{Schedule: w.Schedule, Role: w.Role, Change: rota.Replace, Swap: w.ID, Reason: w.Reason}
	there := base
	there.Person, there.Instead, there.From, there.To = w.Asked, w.Asker, w.From, w.To
	if w.Back == nil {
		return []Override{there}
	}
	back := base
	back.Person, back.Instead, back.From, back.To = w.Asker, w.Asked, w.Back.From, w.Back.To
	return []Override{there, back}
}

// AskSwap asks somebody to take a time on call.
func (s *Service) AskSwap(ctx context.Context, schedule string, n NewSwap) (w Swap, err error) {
	err = s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		row, err := scheduleRow(ctx, tx, schedule)
		if err != nil {
			return err
		}
		who, err := s.actor(ctx, tx, row.Owner)
		if err != nil {
			return err
		}
		if w, err = s.newSwap(ctx, tx, row.Name, who, n); err != nil {
			return err
		}
		if err := addSwap(ctx, tx, &w); err != nil {
			return err
		}
		return s.tell(ctx, tx, EntrySwapAsked, row.Name, row.Owner, w)
	})
	return w, err
}

func (s *Service) newSwap(ctx context.Context, q Reader, schedule string, who actor, n NewSwap) (Swap, error) {
	w := Swap{Schedule: schedule, Role: n.Role, Reason: strings.TrimSpace(n.Reason), State: Requested, CreatedAt: s.stamp(), CreatedBy: journal.ActorFrom(ctx)}
	if w.Role == "" {
		w.Role = rota.Primary
	}
	if n.Asker == "" {
		n.Asker = me
	}
	var err error
	if w.Asker, err = who.resolve(n.Asker); err != nil {
		return w, err
	}
	if w.Asker != who.name && !who.owns {
		return w, concernsOthers()
	}
	if w.Asked, err = who.resolve(n.Asked); err != nil {
		return w, err
	}
	if w.From, w.To, err = s.ahead(n.From, n.To); err != nil {
		return w, err
	}
	if n.Back != nil {
		w.Back = &Span{}
		if w.Back.From, w.Back.To, err = s.ahead(n.Back.From, n.Back.To); err != nil {
			return w, err
		}
	}
	if err := s.possible(ctx, q, w); err != nil {
		return w, err
	}
	w.ID, err = newID()
	return w, err
}

// possible refuses a swap of time that is not theirs.
func (s *Service) possible(ctx context.Context, q Reader, w Swap) error {
	for _, o := range w.overrides() {
		if err := s.comes(ctx, q, o); err != nil {
			return err
		}
		l, err := s.load(ctx, q, w.Schedule, o.From, o.To, Then)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(l.plan.Shifts(w.Role, o.From, o.To), func(x rota.Shift) bool { return slices.Contains(x.Users, o.Instead) }) {
			return fault.New(fault.Invalid, "oncall.swap_not_theirs", text.Say("%s is not on call as %s in that time", "%s はその時間、%s の当番ではありません", o.Instead, w.Role)).
				Fix(text.Say("look at the schedule and name a time of theirs", "当番表を確かめ、本人の当番の時間を指定してください")).On("from")
		}
	}
	return nil
}

// settling is what each answer to a swap is called in the journal.
var settling = map[SwapState]string{Accepted: EntrySwapAccepted, Declined: EntrySwapDeclined, Withdrawn: EntrySwapWithdrawn}

// SettleSwap answers a swap: the asked accepts or declines it, the asker withdraws
// it, and owners of the schedule may do all three. Accepted, it changes who is on
// call.
func (s *Service) SettleSwap(ctx context.Context, id string, to SwapState) (w Swap, err error) {
	err = s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if w, err = swapByID(ctx, tx, id); err != nil {
			return err
		}
		owner, err := s.ownerOf(ctx, tx, w.Schedule)
		if err != nil {
			return err
		}
		who, err := s.actor(ctx, tx, owner)
		if err != nil {
			return err
		}
		if !w.may(who, to) {
			return concernsOthers()
		}
		now, by := s.stamp(), journal.ActorFrom(ctx)
		if state := w.at(now).State; state != Requested {
			return settledAlready(state)
		}
		n, err := db.New(tx).SettleSwap(ctx, db.SettleSwapParams{ID: id, State: string(to), SettledAt: database.Micros(now), SettledBy: database.JSON(by)})
		if err != nil {
			return database.Fault(err)
		}
		if n == 0 {
			return settledAlready("")
		}
		w.State, w.SettledAt, w.SettledBy = to, &now, &by
		if to == Accepted {
			if err := s.carryOut(ctx, tx, w); err != nil {
				return err
			}
		}
		return s.tell(ctx, tx, settling[to], w.Schedule, owner, w)
	})
	return w, err
}

func settledAlready(state SwapState) error {
	return fault.New(fault.Conflict, "oncall.swap_settled", text.Say("the swap is not open any more: %s", "この交代の申し込みは、すでに終わっています(%s)", state)).
		Fix(text.Say("ask for another one", "あらためて申し込んでください"))
}

// carryOut writes the overrides of an accepted swap.
func (s *Service) carryOut(ctx context.Context, tx *sql.Tx, w Swap) error {
	if err := s.possible(ctx, tx, w); err != nil {
		return err
	}
	for _, o := range w.overrides() {
		var err error
		if o.From, o.To, err = s.ahead(o.From, o.To); err != nil {
			return err
		}
		if o, err = s.stamped(ctx, o); err != nil {
			return err
		}
		if err := addOverride(ctx, tx, &o); err != nil {
			return err
		}
	}
	return nil
}

func addSwap(ctx context.Context, tx *sql.Tx, w *Swap) error {
	p := db.AddSwapParams{ID: w.ID, Schedule: w.Schedule, Role: string(w.Role), Asker: w.Asker, Asked: w.Asked, FromAt: database.Micros(w.From),
		ToAt: database.Micros(w.To), Reason: w.Reason, CreatedAt: database.Micros(w.CreatedAt), CreatedBy: database.JSON(w.CreatedBy)}
	if w.Back != nil {
		p.BackFrom, p.BackTo = database.Micros(w.Back.From), database.Micros(w.Back.To)
	}
	if err := db.New(tx).AddSwap(ctx, p); err != nil {
		return fmt.Errorf("save swap of schedule %s: %w", w.Schedule, err)
	}
	return nil
}

func swapByID(ctx context.Context, q Reader, id string) (Swap, error) {
	r, err := db.New(q).GetSwap(ctx, id)
	if errors.Is(err, sql.ErrNoRows) {
		return Swap{}, fault.New(fault.NotFound, "oncall.no_swap", text.Say("there is no such swap", "該当する交代の申し込みはありません")).
			Fix(text.Say("list them: `teiten oncall swap list SCHEDULE`", "`teiten oncall swap list 当番表` で確かめてください"))
	}
	if err != nil {
		return Swap{}, database.Fault(err)
	}
	return swapOf(r)
}

func swapOf(r db.OncallSwap) (Swap, error) {
	w := Swap{ID: r.ID, Schedule: r.Schedule, Role: rota.Role(r.Role), Asker: r.Asker, Asked: r.Asked, From: database.Time(r.FromAt), To: database.Time(r.ToAt),
		Reason: r.Reason, State: SwapState(r.State), CreatedAt: database.Time(r.CreatedAt)}
	if r.BackTo != 0 {
		w.Back = &Span{database.Time(r.BackFrom), database.Time(r.BackTo)}
	}
	err := database.ReadJSON(r.CreatedBy, &w.CreatedBy)
	if r.SettledAt != 0 {
		at := database.Time(r.SettledAt)
		w.SettledAt, w.SettledBy = &at, &journal.Actor{}
		err = errors.Join(err, database.ReadJSON(r.SettledBy, w.SettledBy))
	}
	if err != nil {
		return w, fmt.Errorf("read swap %s: %w", r.ID, err)
	}
	return w, nil
}

// Swaps are those of a schedule whose time is not over at an instant.
func (s *Service) Swaps(ctx context.Context, schedule string, since time.Time) ([]Swap, error) {
	rows, err := db.New(s.db.Read()).SwapsOf(ctx, db.SwapsOfParams{Schedule: schedule, Since: database.Micros(since)})
	if err != nil {
		return nil, database.Fault(fmt.Errorf("read swaps of schedule %s: %w", schedule, err))
	}
	all := make([]Swap, len(rows))
	for i, r := range rows {
		w, err := swapOf(r)
		if err != nil {
			return nil, err
		}
		all[i] = w.at(s.now())
	}
	return all, nil
}
