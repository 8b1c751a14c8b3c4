package routing

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/httpapi"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/respond/alert/route"
	"github.com/teiten/teiten/respond/alert/routing/db"
)

// The entries about a silence, whose data is a SilenceView. Ending is told before
// it ends, so that whoever needs it longer can say so; expired once it has.
const (
	EntrySilenceAdded   = "alert.silence_added"
	EntrySilenceChanged = "alert.silence_changed"
	EntrySilenceEnded   = "alert.silence_ended"
	EntrySilenceEnding  = "alert.silence_ending"
	EntrySilenceExpired = "alert.silence_expired"
)

// SilenceRef is how the journal names a silence.
func SilenceRef(id string) journal.Ref { return journal.RefTo("silence", id) }

// SilenceView is a silence as the API tells it.
type SilenceView struct {
	ID        string        `json:"id"`
	State     string        `json:"state" enum:"pending,active,expired"`
	Matchers  []string      `json:"matchers" doc:"Which alerts, in Alertmanager's syntax; all have to hold."`
	Author    string        `json:"author"`
	Reason    string        `json:"reason"`
	Starts    time.Time     `json:"starts"`
	Ends      time.Time     `json:"ends"`
	CreatedAt time.Time     `json:"createdAt"`
	CreatedBy journal.Actor `json:"createdBy"`
	ChangedAt time.Time     `json:"changedAt"`
}

func (s *stored) view(now time.Time) SilenceView {
	return SilenceView{ID: s.ID, State: s.State(now), Matchers: s.Matchers.Strings(), Author: s.Author, Reason: s.Reason, Starts: s.Starts.UTC(), Ends: s.Ends.UTC(),
		CreatedAt: s.createdAt.UTC(), CreatedBy: s.createdBy, ChangedAt: s.changedAt.UTC()}
}

// Wish is a silence that somebody asks for. Starts is now where it is zero, Author
// the caller where it is empty. Confirm is what a dry run, or the refusal of an
// over-broad one, asked for.
type Wish struct {
	ID       string // of the silence that it replaces, or empty
	Matchers route.Matchers
	Author   string
	Reason   string
	Starts   time.Time
	Ends     time.Time
	Confirm  string
	DryRun   bool
}

// Hidden is what a silence would have kept from people in the last days.
type Hidden struct {
	Days     int       `json:"days" doc:"How many days were looked at."`
	Alerts   int       `json:"alerts" doc:"Alerts that it would have silenced."`
	Of       int       `json:"of" doc:"All alerts of that time."`
	Open     int       `json:"open" doc:"Of the silenced ones, those that are open now."`
	Services []string  `json:"services" doc:"Whose alerts these are."`
	Examples []Example `json:"examples" doc:"Some of them, the latest first."`
	Confirm  string    `json:"confirm,omitempty" doc:"Send it as confirm: the silence is broad."`
}

// Example is one alert by which a number can be checked.
type Example struct {
	ID      string    `json:"id"`
	Title   string    `json:"title"`
	Service string    `json:"service,omitempty"`
	FiredAt time.Time `json:"firedAt"`
}

const (
	guardDays    = 7
	mostExamples = 10
	// A silence is broad where in the last days it would have hidden this many
	// alerts, and these of more than one service or this share of all.
	broadAlerts = 5
	broadShare  = 0.25
	// mostPast is how many past alerts are looked at.
	mostPast = 50_000
)

// hides tells what a silence would have kept from people.
func (s *Service) hides(ctx context.Context, ms route.Matchers) (Hidden, error) {
	h := Hidden{Days: guardDays, Services: []string{}, Examples: []Example{}}
	if s.History == nil {
		return h, nil
	}
	services := map[string]bool{}
	err := s.History.Past(ctx, s.Now().AddDate(0, 0, -guardDays), mostPast, func(p Past) error {
		h.Of++
		if !ms.Match(p.Labels) {
			return nil
		}
		h.Alerts++
		if p.Open {
			h.Open++
		}
		if p.Service != "" {
			services[p.Service] = true
		}
		if len(h.Examples) < mostExamples {
			h.Examples = append(h.Examples, p.example())
		}
		return nil
	})
	for name := range services {
		h.Services = append(h.Services, name)
	}
	slices.Sort(h.Services)
	if h.broad() {
		h.Confirm = strings.Trim(httpapi.ETag(ms.String(), "silence"), `"`)
	}
	return h, err
}

func (p *Past) example() Example {
	return Example{ID: p.ID, Title: p.Title, Service: p.Service, FiredAt: p.FiredAt.UTC()}
}

func (h *Hidden) broad() bool {
	return h.Alerts >= broadAlerts && (len(h.Services) > 1 || float64(h.Alerts) > broadShare*float64(h.Of))
}

// say tells how much a silence would have hidden.
func (h *Hidden) say() text.Both {
	return text.Say("in the last %d days it would have hidden %d of %d alerts, of %d services (%s)", "過去%d日間では、アラート%[3]d件中%[2]d件(サービス%[4]d件: %[5]s)が隠れていました",
		h.Days, h.Alerts, h.Of, len(h.Services), strings.Join(h.Services[:min(len(h.Services), mostExamples)], ", "))
}

// Silence keeps alerts from people, and tells what that would have hidden. One
// that is broad is a Conflict until it is confirmed. With the id of a silence that
// has not ended it changes that one, unless it is about other alerts: then the
// former ends and another begins.
func (s *Service) Silence(ctx context.Context, w Wish) (SilenceView, Hidden, error) {
	now, by := s.Now().UTC().Truncate(time.Microsecond), journal.ActorFrom(ctx)
	if w.Starts.IsZero() || w.ID == "" && w.Starts.Before(now) {
		w.Starts = now
	}
	next := &stored{Silence: route.Silence{Matchers: w.Matchers, Author: cmp.Or(strings.TrimSpace(w.Author), by.Name, by.ID), Reason: strings.TrimSpace(w.Reason),
		Starts: w.Starts.UTC().Truncate(time.Microsecond), Ends: w.Ends.UTC().Truncate(time.Microsecond)}, createdAt: now, changedAt: now, createdBy: by}
	if err := next.check(now); err != nil {
		return SilenceView{}, Hidden{}, err
	}
	hides, err := s.hides(ctx, w.Matchers)
	if err != nil || w.DryRun {
		return next.view(now), hides, err
	}
	if hides.Confirm != "" && hides.Confirm != w.Confirm {
		return SilenceView{}, hides, fault.New(fault.Conflict, "silence.broad", hides.say()).
			Fix(text.Say("name more labels; or, if that is right, send it again with confirm: %q", "ラベルを増やして絞り込むか、それで正しければ confirm に %q を付けてもう一度送ってください", hides.Confirm)).On("body.confirm")
	}
	err = s.DB.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if w.ID != "" {
			return s.change(ctx, tx, w.ID, next)
		}
		return s.add(ctx, tx, next)
	})
	return next.view(now), hides, err
}

// longestSilence keeps anybody from silencing for good.
const longestSilence = 366 * 24 * time.Hour

func (s *stored) check(now time.Time) error {
	if err := s.Check(); err != nil {
		return err
	}
	if !s.Ends.After(now) {
		return fault.New(fault.Invalid, "silence.past", text.Say("its end is past", "終了が過去の時刻です")).
			Fix(text.Say("choose an end to come", "これから先の終了時刻を指定してください")).On("body.ends")
	}
	if s.Ends.Sub(s.Starts) > longestSilence {
		return fault.New(fault.Invalid, "silence.long", text.Say("it is longer than a year", "期間が1年を超えています")).
			Fix(text.Say("choose a nearer end; what nobody ever needs to hear of is for the routing", "終了を近くしてください。常に通知が不要なものは、ルートの設定で扱います")).On("body.ends")
	}
	return nil
}

func (s *Service) add(ctx context.Context, tx *sql.Tx, next *stored) error {
	id, err := uuid.NewV7()
	if err != nil {
		return fmt.Errorf("name a silence: %w", err)
	}
	next.ID = id.String()
	err = db.New(tx).PutSilence(ctx, db.PutSilenceParams{ID: next.ID, Matchers: database.JSON(next.Matchers.Strings()), Author: next.Author, Reason: next.Reason,
		StartsAt: database.Micros(next.Starts), EndsAt: database.Micros(next.Ends), CreatedAt: database.Micros(next.createdAt), CreatedBy: database.JSON(next.createdBy)})
	if err != nil {
		return fmt.Errorf("save silence: %w", err)
	}
	return s.tell(ctx, tx, EntrySilenceAdded, next)
}

// change makes a silence what is wished.
func (s *Service) change(ctx context.Context, tx *sql.Tx, id string, next *stored) error {
	now := s.Now()
	former, err := silence(ctx, tx, id)
	if err != nil {
		return err
	}
	same := slices.Equal(former.Matchers.Strings(), next.Matchers.Strings())
	if former.State(now) == route.Expired || !same || former.State(now) == route.Active && !former.Starts.Equal(next.Starts) && next.Starts.After(now) {
		if former.State(now) != route.Expired {
			if err := s.end(ctx, tx, former); err != nil {
				return err
			}
		}
		return s.add(ctx, tx, next)
	}
	if former.State(now) == route.Active {
		next.Starts = former.Starts // the past stays as it was
	}
	next.ID, next.createdAt, next.createdBy = former.ID, former.createdAt, former.createdBy
	return s.write(ctx, tx, EntrySilenceChanged, next)
}

func (s *Service) write(ctx context.Context, tx *sql.Tx, entry string, one *stored) error {
	err := db.New(tx).ChangeSilence(ctx, db.ChangeSilenceParams{ID: one.ID, Author: one.Author, Reason: one.Reason,
		StartsAt: database.Micros(one.Starts), EndsAt: database.Micros(one.Ends), ChangedAt: database.Micros(one.changedAt)})
	if err != nil {
		return fmt.Errorf("change silence %s: %w", one.ID, err)
	}
	return s.tell(ctx, tx, entry, one)
}

// EndSilence ends a silence now. One that is over stays as it is.
func (s *Service) EndSilence(ctx context.Context, id string) (SilenceView, error) {
	var v SilenceView
	err := s.DB.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		one, err := silence(ctx, tx, id)
		if err != nil {
			return err
		}
		if one.State(s.Now()) != route.Expired {
			if err := s.end(ctx, tx, one); err != nil {
				return err
			}
		}
		v = one.view(s.Now())
		return nil
	})
	return v, err
}

func (s *Service) end(ctx context.Context, tx *sql.Tx, one *stored) error {
	now := s.Now().UTC().Truncate(time.Microsecond)
	one.Ends, one.changedAt = now, now
	if one.Starts.After(now) {
		one.Starts = now
	}
	if err := s.write(ctx, tx, EntrySilenceEnded, one); err != nil {
		return err
	}
	return db.New(tx).TellSilence(ctx, db.TellSilenceParams{ID: one.ID, Told: toldExpired})
}

// tell appends the entry of a change, and has the router made anew.
func (s *Service) tell(ctx context.Context, tx *sql.Tx, kind string, one *stored) error {
	if _, err := s.Journal.Append(ctx, tx, journal.Draft{Kind: kind, Subject: SilenceRef(one.ID), Data: one.view(s.Now())}); err != nil {
		return err
	}
	return s.changed(ctx, tx)
}

// SilenceFilter chooses silences; what is empty is not asked for.
type SilenceFilter struct {
	State string
	Query string
	After string // the id after which to go on
	Limit int
}

// Silences lists silences, what was made last first, and whether there are more.
func (s *Service) Silences(ctx context.Context, f SilenceFilter) ([]SilenceView, bool, error) {
	var w database.Where
	now := database.Micros(s.Now())
	switch f.State {
	case route.Pending:
		w.And("starts_at > ? AND ends_at > ?", now, now)
	case route.Active:
		w.And("starts_at <= ? AND ends_at > ?", now, now)
	case route.Expired:
		w.And("ends_at <= ?", now)
	}
	w.Contains(f.Query, "matchers", "reason", "author")
	if f.After != "" {
		w.And("id < ?", f.After)
	}
	query := "SELECT id, matchers, author, reason, starts_at, ends_at, created_at, created_by, changed_at, told FROM routing_silences" + w.SQL() + " ORDER BY id DESC"
	if f.Limit > 0 {
		query += fmt.Sprintf(" LIMIT %d", f.Limit+1)
	}
	views := []SilenceView{}
	err := database.Each(ctx, s.DB.Read(), query, w.Args(), func(rows *sql.Rows) error {
		var r db.RoutingSilence
		if err := rows.Scan(&r.ID, &r.Matchers, &r.Author, &r.Reason, &r.StartsAt, &r.EndsAt, &r.CreatedAt, &r.CreatedBy, &r.ChangedAt, &r.Told); err != nil {
			return err
		}
		one, err := storedSilence(r)
		if err != nil {
			return err
		}
		views = append(views, one.view(s.Now()))
		return nil
	})
	if err != nil {
		return nil, false, database.Fault(fmt.Errorf("list silences: %w", err))
	}
	if f.Limit > 0 && len(views) > f.Limit {
		return views[:f.Limit], true, nil
	}
	return views, false, nil
}

// OneSilence returns a silence by its id.
func (s *Service) OneSilence(ctx context.Context, id string) (SilenceView, error) {
	one, err := silence(ctx, s.DB.Read(), id)
	if err != nil {
		return SilenceView{}, err
	}
	return one.view(s.Now()), nil
}
