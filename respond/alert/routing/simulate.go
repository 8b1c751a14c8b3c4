package routing

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/teiten/teiten/kit/ascode"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/respond/alert/route"
)

// simulatedDays is how far back a change of routes is tried.
const simulatedDays = 30

// Comparison is what a change of routes would have done to past alerts.
type Comparison struct {
	Since   time.Time `json:"since"`
	Alerts  int       `json:"alerts" doc:"How many alerts were tried."`
	Changed int       `json:"changed" doc:"How many of them would have gone to somebody else."`
	Unheard int       `json:"unheard" doc:"Of those, how many nobody would have heard of, but did."`
	Moves   []Move    `json:"moves" doc:"From whom to whom, the most first."`
}

// Move is the alerts that would have gone from some receivers to others.
type Move struct {
	From     []string  `json:"from" doc:"Who hears of them by the present routes: owner:<team>, policy:<name>, channels:<names>."`
	To       []string  `json:"to" doc:"Who would; nobody where it is empty."`
	Alerts   int       `json:"alerts"`
	Examples []Example `json:"examples" doc:"Some of them, the latest first."`
}

// compare routes the alerts of the last 30 days both ways.
func (s *Service) compare(ctx context.Context, before, after *route.Tree) (Comparison, error) {
	c := Comparison{Since: s.Now().AddDate(0, 0, -simulatedDays).UTC(), Moves: []Move{}}
	if s.History == nil {
		return c, nil
	}
	was, will := route.New(before, nil, nil), route.New(after, nil, nil)
	moves := map[string]*Move{}
	err := s.History.Past(ctx, c.Since, mostPast, func(p Past) error {
		c.Alerts++
		from, to := heard(was, p), heard(will, p)
		if slices.Equal(from, to) {
			return nil
		}
		c.Changed++
		if len(to) == 0 {
			c.Unheard++
		}
		key := strings.Join(from, " ") + "\n" + strings.Join(to, " ")
		m := moves[key]
		if m == nil {
			m = &Move{From: from, To: to}
			moves[key] = m
		}
		if m.Alerts++; len(m.Examples) < mostExamples {
			m.Examples = append(m.Examples, p.example())
		}
		return nil
	})
	for _, m := range moves {
		c.Moves = append(c.Moves, *m)
	}
	slices.SortFunc(c.Moves, func(a, b Move) int {
		return cmp.Or(cmp.Compare(b.Alerts, a.Alerts), slices.Compare(a.From, b.From), slices.Compare(a.To, b.To))
	})
	return c, err
}

// heard is who hears of a past alert, each once and in order.
func heard(r *route.Router, p Past) []string {
	all := []string{}
	for _, d := range r.Decide(p.Alert, nil, p.FiredAt).Heard() {
		key := d.Receiver.Key()
		if d.Receiver.Owner && p.Team != "" {
			key = strings.Replace(key, route.OwnerReceiver, route.OwnerReceiver+":"+p.Team, 1)
		}
		all = append(all, key)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// Say tells in a sentence what would change.
func (c *Comparison) Say() text.Both {
	if c.Changed == 0 {
		return text.Say("none of the %d alerts of the last %d days would have gone to anybody else", "過去%[2]d日間のアラート%[1]d件の知らせる先は変わりません", c.Alerts, simulatedDays)
	}
	most := c.Moves[0]
	said := text.Say("%d of the %d alerts of the last %d days would have gone to somebody else, %d of them from %s to %s",
		"過去%[3]d日間のアラート%[2]d件のうち%[1]d件の知らせる先が変わります(%[5]s → %[6]s が%[4]d件)",
		c.Changed, c.Alerts, simulatedDays, most.Alerts, whom(most.From), whom(most.To))
	if c.Unheard > 0 {
		said = text.Say("%s; %d would have reached nobody", "%s。%d件は誰にも届きません", said, c.Unheard)
	}
	return said
}

func whom(list []string) text.Both {
	if len(list) == 0 {
		return text.Say("nobody", "なし")
	}
	names := strings.Join(list, ", ")
	return text.Both{EN: names, JA: names}
}

// Registry reads documents of every kind.
type Registry interface {
	Parse(files []ascode.File) ([]*ascode.Document, []*fault.Error)
}

// Simulate tells what documents would do to the alerts of the last 30 days if they
// were applied. Documents of other kinds among them are left aside.
func (s *Service) Simulate(ctx context.Context, files []ascode.File) (Comparison, error) {
	read, faults := s.Registry.Parse(files)
	if len(faults) > 0 {
		return Comparison{}, fault.Join(faults)
	}
	docs, err := documents(ctx, s.DB.Read())
	if err != nil {
		return Comparison{}, err
	}
	before, wrong := route.Build(docs)
	if len(wrong) > 0 {
		return Comparison{}, fault.Join(wrong)
	}
	for _, d := range read {
		if _, ok := d.Object.(*Routing); !ok {
			continue
		}
		docs = slices.DeleteFunc(docs, func(other route.Document) bool { return other.Name == d.Name })
		docs = append(docs, documentOf(d))
	}
	after, wrong := route.Build(docs)
	if len(wrong) > 0 {
		return Comparison{}, fault.Join(wrong)
	}
	return s.compare(ctx, before, after)
}
