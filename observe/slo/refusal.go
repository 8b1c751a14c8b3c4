package slo

import (
	"context"
	"database/sql"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/observe/slo/db"
)

// The states of a grouped objective.
const (
	instancesOK   = "ok"
	tooMany       = "too_many_instances"        // more than the objective's limit
	tooManyInAll  = "too_many_instances_in_all" // more than the server's
	tooManyLabels = "label_explosion"           // so many that they cannot be told apart
	valueTooLong  = "value_too_long"
)

// refusal is that instances of an objective are not counted on their own.
type refusal struct {
	state   string // "": none is refused any more
	refused int    // how many; 0 where that is not known
	names   []string
	quiet   bool // it was told before, and only its number changed
}

// refusedFor is how long after the last refusal one is told as over, in minutes.
const refusedFor = 60

// mostRefused is how many refused instances are remembered, and examples how many
// of them are shown.
const (
	mostRefused = 10_000
	examples    = 3
)

// unnamed stands for refused instances of which the names are not known.
const unnamed = ""

// number is how many refused instances are known by name.
func (g *grouped) number() int {
	if _, ok := g.refused[unnamed]; ok {
		return len(g.refused) - 1
	}
	return len(g.refused)
}

// refuse notes instances that were refused, and returns what is to be told: nil
// where that was told before.
func (g *grouped) refuse(state string, names []string, minute int64) *refusal {
	for _, name := range names {
		if _, ok := g.refused[name]; ok || len(g.refused) < mostRefused {
			g.refused[name] = minute
		}
	}
	maps.DeleteFunc(g.refused, func(_ string, at int64) bool { return minute-at > refusedFor })
	switch {
	case state == "" && len(g.refused) > 0:
		return nil // others may be refused again in a moment
	case state != g.told:
	case state == "" || g.number() == g.count || minute-g.toldAt < refusedFor:
		return nil
	}
	quiet := state == g.told
	g.told, g.toldAt, g.count = state, minute, g.number()
	known := slices.DeleteFunc(slices.Sorted(maps.Keys(g.refused)), func(name string) bool { return name == unnamed })
	return &refusal{state: state, refused: g.count, names: known[:min(len(known), examples)], quiet: quiet}
}

// refusalEntry is what the journal says of instances that are refused.
type refusalEntry struct {
	SLO      string    `json:"slo"`
	Service  string    `json:"service"`
	State    string    `json:"state,omitempty"`
	Refused  int       `json:"refused,omitempty"`
	Examples []string  `json:"examples,omitempty"`
	Reason   text.Both `json:"reason,omitzero"`
}

// tellRefusal keeps what is refused, and tells of its beginning and its end.
func (s *Service) tellRefusal(ctx context.Context, tx *sql.Tx, f *findings, now time.Time) error {
	if f.told == nil {
		return nil
	}
	q, r := db.New(tx), f.told
	if r.state == "" {
		if err := q.DropRefusal(ctx, f.whole.Name); err != nil {
			return err
		}
		return s.tellInstances(ctx, tx, EntryInstancesAgain, f.whole, refusalEntry{SLO: f.whole.Name, Service: f.whole.Service})
	}
	row := db.SloRefusal{Slo: f.whole.Name, State: r.state, Refused: int64(r.refused), Examples: marshal(nonNil(r.names)), Since: database.Micros(now)}
	if err := q.PutRefusal(ctx, db.PutRefusalParams(row)); err != nil || r.quiet {
		return err
	}
	return s.tellInstances(ctx, tx, EntryInstancesRefused, f.whole, refusalEntry{SLO: f.whole.Name, Service: f.whole.Service,
		State: r.state, Refused: r.refused, Examples: r.names, Reason: s.whyRefused(f.whole.def, row)})
}

// whyRefused says what is refused and what to do, to a person.
func (s *Service) whyRefused(d *Definition, r db.SloRefusal) text.Both {
	var names []string
	if unmarshal(r.Examples, &names) != nil || d.Grouping == nil {
		return text.Both{}
	}
	for i := range names {
		names[i] = strings.TrimPrefix(names[i], d.Name+parted)
	}
	some := strings.Join(names, "; ")
	switch r.State {
	case tooMany:
		return text.Say("%[1]d more instances than the limit of %[2]d were found and are not counted on their own, such as %[3]s: raise teiten.dev/by-limit, or group by labels with fewer values",
			"インスタンスが上限の%[2]d個を超え、%[1]d個は個別に集計していません(例: %[3]s)。teiten.dev/by-limit を上げるか、値の種類が少ないラベルで分けてください", r.Refused, d.Grouping.Limit, some)
	case tooManyInAll:
		return text.Say("the server has as many instances as it takes (%[2]d), and %[1]d more are not counted on their own, such as %[3]s: raise slo.instances in the configuration, or group by labels with fewer values",
			"サーバー全体のインスタンス数が上限の%[2]d個に達し、%[1]d個は個別に集計していません(例: %[3]s)。設定の slo.instances を上げるか、値の種類が少ないラベルで分けてください", r.Refused, s.instances, some)
	case valueTooLong:
		return text.Say("%[1]d values of labels are longer than %[2]d bytes and are not counted on their own, such as %[3]s: shorten the label where the metric is made",
			"%[2]dバイトを超えるラベルの値が%[1]d個あり、個別に集計していません(例: %[3]s)。メトリクスを出す側でラベルの値を短くしてください", r.Refused, longestValue, some)
	}
	return text.Say("the labels %s have so many combinations of values that new instances are not found any more: drop the label where the metric is scraped, or group by labels with fewer values",
		"ラベル %s の値の組み合わせが多すぎるため、新しいインスタンスを見つけられません。スクレイプ時にラベルを取り除くか、値の種類が少ないラベルで分けてください", strings.Join(d.Grouping.By, ", "))
}
