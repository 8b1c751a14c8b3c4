package exclusion

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/kit/ascode"
	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/observe/slo/exclusion/db"
	"github.com/teiten/teiten/observe/slo/openslo"
)

// apiVersion is that of the kinds that are the product's own.
const apiVersion = "teiten.dev/v1"

const kind = "MaintenanceWindow"

// MaintenanceWindow is planned time that does not count.
type MaintenanceWindow struct {
	APIVersion string           `json:"apiVersion"`
	Kind       string           `json:"kind"`
	Metadata   openslo.Metadata `json:"metadata"`
	Spec       MaintenanceSpec  `json:"spec"`
}

// MaintenanceSpec is the body of a MaintenanceWindow. It names whom it covers in
// one list at least, and has either start and end, or schedule, or businessHours.
type MaintenanceSpec struct {
	Covers
	Reason        string         `json:"reason" doc:"Why this time does not count. Everybody can read it." ja:"数えない理由。誰でも読めます。"`
	Start         string         `json:"start,omitempty" doc:"When it begins, once: 2026-12-01T01:00:00+09:00." ja:"1回だけの場合の開始(例: 2026-12-01T01:00:00+09:00)。"`
	End           string         `json:"end,omitempty" doc:"When it ends, once." ja:"1回だけの場合の終了。"`
	Schedule      *Schedule      `json:"schedule,omitempty" doc:"When it recurs." ja:"繰り返しの予定。"`
	BusinessHours *BusinessHours `json:"businessHours,omitempty" doc:"The only hours that count." ja:"数える時間帯。この外は数えません。"`
	EffectiveFrom string         `json:"effectiveFrom,omitempty" doc:"From when a schedule or business hours hold; by default from when they are applied. An earlier time corrects the past." ja:"schedule や businessHours を有効にする時刻。既定は適用した時です。過去にすると、過去の値も直ります。"`
}

// Kind is the kind of document that describes a MaintenanceWindow.
func (s *Service) Kind() ascode.Kind {
	return ascode.Kind{
		APIVersion: apiVersion, Kind: kind, ID: "maintenance-windows", Order: 95, Event: "slo.maintenance_window_",
		Title: text.Say("Maintenance window", "メンテナンス時間"),
		New:   func() any { return &MaintenanceWindow{} },
		Ref:   func(d *ascode.Document) string { return string(windowRef(d.Name)) },
		OwnerIn: func(ctx context.Context, tx *sql.Tx, d *ascode.Document) (string, error) {
			teams, err := s.teamsOf(ctx, tx, specOf(d).Covers)
			if err != nil || len(teams) != 1 {
				return "", err // the services of several teams are for editors
			}
			return teams[0], nil
		},
		Validate: validate, Check: s.check, Warn: s.warn,
		Apply: s.put, Remove: s.drop,
	}
}

func specOf(d *ascode.Document) *MaintenanceSpec { return &d.Object.(*MaintenanceWindow).Spec }

func (m *MaintenanceSpec) shape() Shape { return Shape{m.Schedule, m.BusinessHours} }

func validate(d *ascode.Document) []*fault.Error {
	var faults []*fault.Error
	fail := func(code string, what, remedy text.Both, path ...any) {
		faults = append(faults, d.Fault("slo."+code, what, remedy, append([]any{"spec"}, path...)...))
	}
	m := specOf(d)
	if len(m.all()) == 0 {
		fail("maintenance_whom", text.Say("it covers nothing", "対象がありません"),
			text.Say("name what it covers under slos, services, systems or teams", "slos、services、systems、teams のいずれかに対象を書いてください"))
	}
	if strings.TrimSpace(m.Reason) == "" {
		fail("maintenance_reason", text.Say("it gives no reason", "理由がありません"),
			text.Say("say under reason why this time does not count", "数えない理由を reason に書いてください"), "reason")
	}
	forms := 0
	for _, has := range []bool{m.Start != "" || m.End != "", m.Schedule != nil, m.BusinessHours != nil} {
		if has {
			forms++
		}
	}
	if forms != 1 {
		fail("maintenance_when", text.Say("it says in %d ways when it takes place", "時間の指定が%d通りあります", forms),
			text.Say("write one of: start and end, schedule, businessHours", "start と end、schedule、businessHours のいずれか1つで書いてください"))
	}
	if _, wrong := m.shape().read(); true {
		for _, w := range wrong {
			fail("maintenance_time", w.what, w.remedy, w.path...)
		}
	}
	start, end := m.instant(fail, "start", m.Start), m.instant(fail, "end", m.End)
	if m.Start != "" || m.End != "" {
		switch {
		case m.Start == "" || m.End == "":
			fail("maintenance_when", text.Say("start and end belong together", "start と end は両方必要です"), text.Say("write both", "両方を書いてください"), "start")
		case !start.IsZero() && !end.IsZero() && !start.Before(end):
			fail("maintenance_when", text.Say("it ends before it begins", "終了が開始より前です"), text.Say("correct start or end", "start か end を直してください"), "end")
		}
	}
	m.instant(fail, "effectiveFrom", m.EffectiveFrom)
	return faults
}

// instant reads a time with its offset, and zero where there is none.
func (m *MaintenanceSpec) instant(fail func(string, text.Both, text.Both, ...any), field, s string) time.Time {
	if s == "" {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		fail("maintenance_time", text.Say("%q is not a time with an offset", "%q は時差の付いた日時ではありません", s),
			text.Say("write it as 2026-12-01T01:00:00+09:00", "2026-12-01T01:00:00+09:00 のように書いてください"), field)
	}
	return t
}

// exclusionOf is what a document stands for from now on.
func (s *Service) exclusionOf(name string, m *MaintenanceSpec) (*Exclusion, error) {
	x := Exclusion{Document: name, Covers: m.Covers, Shape: m.shape(), Reason: strings.TrimSpace(m.Reason)}
	starts := m.EffectiveFrom
	if m.Start != "" {
		starts = m.Start
		x.Ends, _ = time.Parse(time.RFC3339, m.End) // both were judged
	}
	var err error
	if x.Starts, err = time.Parse(time.RFC3339, starts); err != nil {
		x.Starts = s.now()
	}
	return ready(x)
}

// check finds names that lead nowhere.
func (s *Service) check(ctx context.Context, tx *sql.Tx, d *ascode.Document) []*fault.Error {
	m := specOf(d)
	var faults []*fault.Error
	if len(m.SLOs) > 0 {
		all, err := s.objectives.Coverages(ctx, tx)
		if err != nil {
			return []*fault.Error{fault.New(fault.Unavailable, "slo.objectives_check", text.Say("the objectives could not be read", "SLO を読めませんでした")).Wrap(err)}
		}
		for i, name := range m.SLOs {
			if !slices.ContainsFunc(all, func(c Coverage) bool { return c.SLO == name }) {
				faults = append(faults, d.Fault("slo.unresolved", text.Say("there is no objective %q", "SLO %q はありません", name),
					ascode.OneOf(name, ascode.KnownNames(ctx, "SLO")...), "spec", "slos", i))
			}
		}
	}
	for i, name := range m.Services {
		for _, f := range s.objectives.CheckService(ctx, tx, d, name) {
			f.Where = d.Pos("spec", "services", i)
			faults = append(faults, f)
		}
	}
	return faults
}

// warn points at a window that covers nothing at present.
func (s *Service) warn(ctx context.Context, tx *sql.Tx, d *ascode.Document) []*fault.Error {
	covered, err := s.coveredBy(ctx, tx, specOf(d).Covers)
	if err != nil || len(covered) > 0 {
		return nil
	}
	return []*fault.Error{d.Fault("slo.maintenance_nothing", text.Say("it covers no objective at present", "現在、対象になる SLO がありません"),
		text.Say("check the names; it covers objectives that are added later, too", "名前を確かめてください。あとから加わる SLO も対象になります"), "spec")}
}

// put has a document in effect. A window that takes place once says its times
// itself, and a changed one replaces what it was. What recurs, and business
// hours, hold from when they are applied until they are changed: the past stays
// as it was, unless effectiveFrom reaches into it.
func (s *Service) put(ctx context.Context, tx *sql.Tx, d *ascode.Document) error {
	if err := db.New(tx).PutWindow(ctx, db.PutWindowParams{Name: d.Name, Data: database.JSON(d.Object)}); err != nil {
		return fmt.Errorf("save maintenance window %s: %w", d.Name, err)
	}
	x, err := s.exclusionOf(d.Name, specOf(d))
	if err != nil {
		return err
	}
	if err := s.makeRoom(ctx, tx, x); err != nil {
		return err
	}
	hides, err := s.hides(ctx, tx, x)
	if err != nil {
		return err
	}
	if confirmation(x, hides) != "" {
		teams, err := s.teamsOf(ctx, tx, x.Covers)
		if err != nil {
			return err
		}
		if err := mayHide(ctx, teams); err != nil {
			f, _ := fault.As(err)
			f.What = text.Say("%s", "%s", hiding(hides))
			return f.At(d.Pos("spec"))
		}
	}
	return s.exclude(ctx, tx, x, hides)
}

// makeRoom ends what a document stood for before, or takes it back where the new
// version speaks of the same time.
func (s *Service) makeRoom(ctx context.Context, tx *sql.Tx, next *Exclusion) error {
	former, err := ofDocument(ctx, tx, next.Document)
	if err != nil {
		return err
	}
	const why = "the maintenance window was changed"
	for _, x := range former {
		switch {
		case x.once() && next.once(), !x.Starts.Before(next.Starts):
			err = s.takeBack(ctx, tx, x, why)
		case !x.holds(next.Starts):
		case next.Starts.Before(s.now()): // it reaches into the past: what was known then stays known
			if err = s.takeBack(ctx, tx, x, why); err == nil {
				before := *x
				before.Ends, before.TakenBack = next.Starts, nil
				err = s.exclude(ctx, tx, &before, nil)
			}
		default:
			err = s.end(ctx, tx, x)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// drop removes a document: its time to come counts again, and what is past stays
// excluded.
func (s *Service) drop(ctx context.Context, tx *sql.Tx, d *ascode.Document) error {
	made, err := ofDocument(ctx, tx, d.Name)
	if err != nil {
		return err
	}
	for _, x := range made {
		if err := s.end(ctx, tx, x); err != nil {
			return err
		}
	}
	if err := db.New(tx).DeleteWindow(ctx, d.Name); err != nil {
		return fmt.Errorf("remove maintenance window %s: %w", d.Name, err)
	}
	return nil
}

func windowRef(name string) journal.Ref { return journal.RefTo("maintenance", name) }
