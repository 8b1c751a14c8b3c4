package oncall

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	ical "github.com/arran4/golang-ical"

	"github.com/teiten/teiten/access"
	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/httpapi"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/respond/oncall/db"
	"github.com/teiten/teiten/respond/oncall/rota"
)

// The kinds of journal entries about feeds.
const (
	EntryFeedAdded   = "oncall.feed_added"
	EntryFeedRevoked = "oncall.feed_revoked"
)

// Feed is an address under which a calendar reads shifts without signing in:
// those of a schedule, or of a person by all schedules. Whoever knows the address
// can read it, until it is revoked.
type Feed struct {
	ID        string     `json:"id"`
	Schedule  string     `json:"schedule,omitempty"`
	Person    string     `json:"person,omitempty"`
	URL       string     `json:"url,omitempty" doc:"The address, once: it is known nowhere else afterwards."`
	CreatedAt time.Time  `json:"createdAt"`
	ReadAt    *time.Time `json:"readAt,omitempty" doc:"When a calendar last read it."`
}

// NewFeed says what a feed is to show: one of the two.
type NewFeed struct {
	Schedule string    `json:"schedule,omitempty" maxLength:"200" doc:"All shifts of a schedule."`
	Person   string    `json:"person,omitempty" maxLength:"200" doc:"All shifts of a person; me is the caller."`
	Language text.Lang `json:"language,omitempty" enum:"en,ja" doc:"The language of the events; the request's by default."`
}

// The past and the time to come that a feed shows.
const (
	feedBehind = 31 * 24 * time.Hour
	feedAhead  = 184 * 24 * time.Hour
	readEvery  = time.Hour // how often it is noted that a feed was read
)

func hashOf(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// AddFeed makes an address for calendars. It is the caller's: nobody else sees or
// revokes it.
func (s *Service) AddFeed(ctx context.Context, n NewFeed) (f Feed, err error) {
	p, _ := access.From(ctx)
	secret := make([]byte, 32)
	_, _ = rand.Read(secret) // never fails
	address := base64.RawURLEncoding.EncodeToString(secret)
	if n.Language == "" {
		n.Language = text.LangFrom(ctx)
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if f, err = s.newFeed(ctx, tx, n); err != nil {
			return err
		}
		err := db.New(tx).AddFeed(ctx, db.AddFeedParams{ID: f.ID, Hash: hashOf(address), Schedule: f.Schedule, Person: f.Person,
			Lang: string(n.Language), Maker: maker(p), CreatedAt: database.Micros(f.CreatedAt)})
		if err != nil {
			return fmt.Errorf("save feed: %w", err)
		}
		return s.tellFeed(ctx, tx, EntryFeedAdded, f)
	})
	f.URL = strings.TrimRight(s.baseURL, "/") + "/calendar/" + address + "/oncall.ics"
	return f, err
}

// maker is who a feed belongs to: the person, also behind their token.
func maker(p access.Principal) string {
	if p.UserID != "" {
		return p.UserID
	}
	return p.ID()
}

func (s *Service) newFeed(ctx context.Context, q Reader, n NewFeed) (Feed, error) {
	f := Feed{Schedule: n.Schedule, CreatedAt: s.stamp()}
	if (n.Schedule == "") == (n.Person == "") {
		return f, fault.New(fault.Invalid, "oncall.feed_of", text.Say("a feed is of a schedule or of a person", "フィードは、当番表か人のどちらか一方のものです")).
			Fix(text.Say("name one of the two", "どちらか一方を指定してください")).On("schedule")
	}
	var err error
	if n.Schedule != "" {
		_, err = scheduleRow(ctx, q, n.Schedule)
	} else {
		var a actor
		if a.name, err = s.Caller(ctx, q); err == nil {
			f.Person, err = a.resolve(n.Person)
		}
	}
	if err == nil {
		f.ID, err = newID()
	}
	return f, err
}

func (s *Service) tellFeed(ctx context.Context, tx *sql.Tx, kind string, f Feed) error {
	f.URL = "" // it is a secret
	subject := refTo(f.Schedule)
	if f.Person != "" {
		subject = journal.RefTo("person", f.Person)
	}
	_, err := s.journal.Append(ctx, tx, journal.Draft{Kind: kind, Subject: subject, Data: f})
	return err
}

func feedOf(r db.OncallFeed) Feed {
	f := Feed{ID: r.ID, Schedule: r.Schedule, Person: r.Person, CreatedAt: database.Time(r.CreatedAt)}
	if r.ReadAt != 0 {
		at := database.Time(r.ReadAt)
		f.ReadAt = &at
	}
	return f
}

// Feeds are the caller's that were not revoked, the newest first.
func (s *Service) Feeds(ctx context.Context) ([]Feed, error) {
	p, _ := access.From(ctx)
	rows, err := db.New(s.db.Read()).FeedsOf(ctx, maker(p))
	if err != nil {
		return nil, database.Fault(err)
	}
	all := make([]Feed, len(rows))
	for i, r := range rows {
		all[i] = feedOf(r)
	}
	return all, nil
}

func noFeed() error {
	return fault.New(fault.NotFound, "oncall.no_feed", text.Say("there is no such feed, or it was revoked", "フィードがないか、取り消されています")).
		Fix(text.Say("make another one on the page of the schedule", "当番表のページで新しく作成してください"))
}

// RevokeFeed has an address answer nothing any more.
func (s *Service) RevokeFeed(ctx context.Context, id string) error {
	p, _ := access.From(ctx)
	return s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		r, err := db.New(tx).GetFeed(ctx, id)
		if errors.Is(err, sql.ErrNoRows) || err == nil && r.Maker != maker(p) && !p.Role.AtLeast(access.Admin) {
			return noFeed()
		}
		if err != nil {
			return database.Fault(err)
		}
		n, err := db.New(tx).RevokeFeed(ctx, db.RevokeFeedParams{ID: id, RevokedAt: database.Micros(s.now())})
		if err != nil {
			return database.Fault(err)
		}
		if n == 0 {
			return noFeed()
		}
		return s.tellFeed(ctx, tx, EntryFeedRevoked, feedOf(r))
	})
}

// ReadFeed is the calendar behind the secret of an address.
func (s *Service) ReadFeed(ctx context.Context, secret string) (string, error) {
	r, err := db.New(s.db.Read()).FeedByHash(ctx, hashOf(secret))
	if errors.Is(err, sql.ErrNoRows) {
		return "", noFeed()
	}
	if err != nil {
		return "", database.Fault(err)
	}
	if gone, err := s.makerGone(ctx, r.Maker); err != nil || gone {
		return "", errors.Join(err, noFeed())
	}
	if now := s.now(); now.Sub(database.Time(r.ReadAt)) >= readEvery {
		err := s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
			return db.New(tx).TouchFeed(ctx, db.TouchFeedParams{ID: r.ID, ReadAt: database.Micros(now)})
		})
		if err != nil && fault.KindOf(err) != fault.Unavailable {
			return "", err // with a full disk, calendars still need to read
		}
	}
	return s.ics(ctx, feedOf(r), text.Lang(r.Lang))
}

// makerGone reports whether the account that made a feed may no longer sign in.
func (s *Service) makerGone(ctx context.Context, userID string) (bool, error) {
	address, err := s.accounts.Address(ctx, userID)
	if err != nil || address == "" {
		return false, err
	}
	known, err := s.accounts.Accounts(ctx, []string{address})
	return known[address].State == access.Disabled, err
}

// ics writes shifts as iCalendar, in UTC: what calendars make of that is right in
// every zone and across every change of its clocks.
func (s *Service) ics(ctx context.Context, f Feed, lang text.Lang) (string, error) {
	q, now := s.db.Read(), s.now()
	names := []string{f.Schedule}
	if f.Person != "" {
		rows, err := s.list(ctx, q)
		if err != nil {
			return "", err
		}
		names = names[:0]
		for _, r := range rows {
			names = append(names, r.Name)
		}
	}
	c := ical.NewCalendarFor("Teiten")
	c.SetMethod(ical.MethodPublish)
	c.SetRefreshInterval("PT1H", ical.WithValue("DURATION"))
	c.SetXPublishedTTL("PT1H")
	c.SetXWRCalName(text.Say("On call: %s", "当番: %s", f.Schedule+f.Person).In(lang))
	for _, name := range names {
		if err := s.addEvents(ctx, q, c, name, f.Person, now, lang); err != nil {
			return "", err
		}
	}
	return c.Serialize(), nil
}

// addEvents adds the shifts of a schedule, of one person or of everybody.
func (s *Service) addEvents(ctx context.Context, q Reader, c *ical.Calendar, name, person string, now time.Time, lang text.Lang) error {
	from, to := now.Add(-feedBehind), now.Add(feedAhead)
	l, err := s.load(ctx, q, name, from, to, Then)
	if err != nil {
		return err
	}
	found, err := s.People(ctx, q, l.everybody())
	if err != nil {
		return err
	}
	title := name
	if doc := l.latest().doc; doc != nil && doc.Metadata.Title != "" {
		title = doc.Metadata.Title
	}
	for _, role := range l.roles() {
		for _, x := range l.plan.Shifts(role, from, to) {
			cut := x.From.Equal(from) || x.To.Equal(to) // would be another event at each reading
			if cut || x.Gap() || person != "" && !slices.Contains(x.Users, person) {
				continue
			}
			e := c.AddEvent(fmt.Sprintf("%s-%s-%d@teiten", name, role, x.From.UnixMicro()))
			e.SetDtStampTime(l.changed())
			e.SetStartAt(x.From)
			e.SetEndAt(x.To)
			e.SetSummary(summaryOf(title, role, named(found, x.Users), lang))
			e.SetTimeTransparency(ical.TransparencyTransparent)
			e.SetURL(strings.TrimRight(s.baseURL, "/") + "/oncall/" + name)
		}
	}
	return nil
}

// changed is when the schedule, or what people changed of it, last changed.
func (l *loaded) changed() time.Time {
	at := l.latest().from
	for _, o := range l.overrides {
		for _, t := range []*time.Time{&o.CreatedAt, o.EndedAt} {
			if t != nil && t.After(at) {
				at = *t
			}
		}
	}
	return at
}

var roleSaid = map[rota.Role]text.Both{
	rota.Primary:   {EN: "primary", JA: "主担当"},
	rota.Secondary: {EN: "secondary", JA: "副担当"},
	rota.Shadow:    {EN: "shadow", JA: "見習い"},
}

func summaryOf(title string, role rota.Role, people []Person, lang text.Lang) string {
	names := make([]string, len(people))
	for i, p := range people {
		names[i] = p.Name
	}
	return text.Say("%s (%s): %s", "%s(%s): %s", title, roleSaid[role], strings.Join(names, ", ")).In(lang)
}

// serveFeed answers calendars, which cannot sign in: the address is the secret.
func (s *Service) serveFeed(a *httpapi.API) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := s.ReadFeed(r.Context(), r.PathValue("secret"))
		if err != nil {
			a.WriteError(w, r, err)
			return
		}
		etag := httpapi.ETag(body)
		h := w.Header()
		h.Set("Content-Type", "text/calendar; charset=utf-8")
		h.Set("Cache-Control", "private, max-age=300")
		h.Set("ETag", etag)
		if r.Header.Get("If-None-Match") == etag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		_, _ = w.Write([]byte(body)) // whoever hung up reads again
	})
}
