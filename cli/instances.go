package cli

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/httpapi"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/observe/slo"
)

// parts are the flags that show into what an SLO is taken apart.
type parts struct {
	Instances bool     `help:"The instances of an SLO, those that need somebody first, instead of its document."`
	Retired   bool     `help:"The instances of an SLO that were absent for long."`
	Status    []string `help:"Only instances in these states: ${enum}." enum:"healthy,burning,attention,exhausted,unknown,backfilling" placeholder:"STATE"`
	Most      int      `help:"How many instances at most; 0 for all." default:"20" placeholder:"N"`
}

// wanted reports whether instances are asked for.
func (p *parts) wanted() bool { return p.Instances || p.Retired || len(p.Status) > 0 }

// misplaced says what instances can be asked of.
func (p *parts) misplaced(kind, name string) error {
	isSLO := strings.EqualFold(kind, "slo") || strings.EqualFold(kind, "slos")
	switch {
	case isSLO && name != "" && p.Retired && (p.Instances || len(p.Status) > 0):
		return fault.New(fault.Invalid, "cli.retired", text.Say("a retired instance has no state any more", "引退したインスタンスに状態はありません")).
			Fix(text.Say("give either --instances or --retired", "--instances と --retired のどちらかにしてください"))
	case isSLO && name != "":
		return nil
	}
	return fault.New(fault.Invalid, "cli.instances", text.Say("only an SLO has instances", "インスタンスがあるのは SLO だけです")).
		Fix(text.Say("name one: teiten get slo NAME --instances", "名前を指定してください: teiten get slo NAME --instances"))
}

// instances lists the instances of an SLO.
func (c *getCmd) instances(ctx context.Context, s *streams, to *client) error {
	if err := c.misplaced(c.Kind, c.Name); err != nil {
		return err
	}
	if c.Retired {
		return c.retired(ctx, s, to)
	}
	var whole slo.Detail
	if err := to.call(ctx, http.MethodGet, "/api/v1/slos/"+url.PathEscape(c.Name), nil, nil, &whole); err != nil {
		return err
	}
	if whole.Instances == nil {
		return fault.New(fault.Invalid, "cli.not_apart", text.Say("SLO %s has no instances", "SLO %s にインスタンスはありません", c.Name)).
			Fix(text.Say("the annotation teiten.dev/by takes it apart by labels", "アノテーション teiten.dev/by でラベルごとに分けられます"))
	}
	found, total, err := some[slo.Summary](ctx, to, "/api/v1/slos", url.Values{"of": {c.Name}, "status": c.Status}, c.Most)
	if err != nil {
		return err
	}
	if c.Output != "" && c.Output != "table" {
		return s.json(found)
	}
	s.table([]text.Both{text.Say("INSTANCE", "インスタンス"), text.Say("STATE", "状態"), text.Say("BUDGET LEFT", "バジェットの残り"), text.Say("SLI", "SLI"), text.Say("EVENTS", "イベント数")},
		len(found), func(i int) []any {
			x := found[i]
			return []any{x.Name, x.Status, partOf(x.BudgetLeft, 1), partOf(x.SLI, 3), strconv.FormatFloat(x.Total, 'f', -1, 64)}
		})
	if total > len(found) {
		s.say(text.Say("%d of %d; --most 0 lists all", "%[2]d 件中 %[1]d 件。すべて見るには --most 0", len(found), total))
	}
	return nil
}

// retired lists those that were absent for long.
func (c *getCmd) retired(ctx context.Context, s *streams, to *client) error {
	found, _, err := some[slo.Retired](ctx, to, "/api/v1/slos/"+url.PathEscape(c.Name)+"/retired", nil, c.Most)
	if err != nil {
		return err
	}
	if c.Output != "" && c.Output != "table" {
		return s.json(found)
	}
	s.table([]text.Both{text.Say("INSTANCE", "インスタンス"), text.Say("FOUND", "発見"), text.Say("RETIRED", "引退")}, len(found), func(i int) []any {
		x := found[i]
		return []any{x.Name, x.FoundAt.Local().Format("2006-01-02 15:04"), x.RetiredAt.Local().Format("2006-01-02 15:04")}
	})
	return nil
}

// partOf is a part of a whole, "-" where it is not known.
func partOf(v *float64, decimals int) string {
	if v == nil {
		return "-"
	}
	return strconv.FormatFloat(*v*100, 'f', decimals, 64) + "%"
}

// some reads at most so many items of a list, all of them where most is 0, and how
// many there are where the server says so.
func some[T any](ctx context.Context, to *client, path string, q url.Values, most int) ([]T, int, error) {
	if most <= 0 {
		all, err := everything[T](ctx, to, path, q)
		return all, len(all), err
	}
	asked := url.Values{"limit": {strconv.Itoa(min(most, 500))}}
	for k, v := range q {
		asked[k] = v
	}
	all, total := []T{}, 0
	for len(all) < most {
		var page httpapi.Page[T]
		if err := to.call(ctx, http.MethodGet, path, asked, nil, &page); err != nil {
			return nil, 0, err
		}
		all = append(all, page.Items...)
		if page.Total != nil {
			total = *page.Total
		}
		if page.Next == "" {
			break
		}
		asked.Set("cursor", page.Next)
	}
	all = all[:min(most, len(all))]
	return all, max(total, len(all)), nil
}
