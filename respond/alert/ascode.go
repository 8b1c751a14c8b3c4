package alert

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/teiten/teiten/kit/ascode"
	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/respond/alert/db"
	"github.com/teiten/teiten/respond/alert/format"
)

var nameShape = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

// Kinds makes the kind Integration known.
func (s *Service) Kinds(r *ascode.Registry) {
	r.Add(ascode.Kind{
		APIVersion: "teiten.dev/v1", Kind: "Integration", ID: "integrations", Order: 60, Event: "alert.integration_",
		Title:    text.Say("Alert integration", "アラートの連携"),
		New:      func() any { return &Integration{} },
		Ref:      func(d *ascode.Document) string { return string(integrationRef(d.Name)) },
		Owner:    func(d *ascode.Document) string { return specOf(d).Team },
		Validate: validate,
		Apply:    s.putIntegration,
		Remove:   s.dropIntegration,
	})
}

func specOf(d *ascode.Document) IntegrationSpec {
	if o, ok := d.Object.(*Integration); ok {
		return o.Spec
	}
	return IntegrationSpec{}
}

func validate(d *ascode.Document) []*fault.Error {
	spec := specOf(d)
	var all []*fault.Error
	wrong := func(code string, what, remedy text.Both, path ...any) {
		all = append(all, d.Fault("alert."+code, what, remedy, path...))
	}
	if !nameShape.MatchString(d.Name) {
		wrong("integration_name", text.Say("%q cannot be the name of an integration", "%q は連携の名前として使えません", d.Name),
			text.Say("use at most 63 of a–z, 0–9 and -", "a–z、0–9、- を使い、63文字以内にしてください"), "metadata", "name")
	}
	if slices.Contains([]string{fromSLO, fromTeiten}, d.Name) {
		wrong("integration_own", text.Say("%q is what Teiten calls its own alerts", "%q はTeiten自身のアラートに使われています", d.Name),
			text.Say("choose another name", "別の名前にしてください"), "metadata", "name")
	}
	if spec.Format != "" && !slices.Contains(formats(), spec.Format) {
		wrong("format", text.Say("there is no format %q", "%q という形式はありません", spec.Format),
			text.Say("one of %s", "次のいずれかを指定してください: %s", strings.Join(formats(), ", ")), "spec", "format")
	}
	for _, v := range []struct {
		value format.Severity
		path  []any
	}{{spec.Severity, []any{"spec", "severity"}}, {spec.beat().Severity, []any{"spec", "heartbeat", "severity"}}} {
		if !slices.Contains([]format.Severity{"", format.Critical, format.Error, format.Warning, format.Info}, v.value) {
			wrong("severity", text.Say("there is no severity %q", "%q という重大度はありません", string(v.value)),
				text.Say("one of critical, error, warning, info", "critical、error、warning、info のいずれかを指定してください"), v.path...)
		}
	}
	if spec.ResolveAfter != "" {
		all = append(all, span(d, spec.ResolveAfter, time.Minute, 90*24*time.Hour, "spec", "resolveAfter")...)
	}
	if spec.Heartbeat != nil {
		all = append(all, span(d, spec.Heartbeat.Every, 10*time.Second, 31*24*time.Hour, "spec", "heartbeat", "every")...)
	}
	for _, name := range slices.Sorted(maps.Keys(spec.Labels)) {
		if strings.TrimSpace(name) == "" || spec.Labels[name] == "" {
			wrong("label", text.Say("the label %q has no value", "ラベル %q に値がありません", name), text.Say("give it one, or leave it out", "値を書くか、ラベルを削除してください"), "spec", "labels", name)
		}
	}
	for i, arn := range spec.SNSTopics {
		if !strings.HasPrefix(arn, "arn:") {
			wrong("sns_topic", text.Say("%q is not the ARN of a topic", "%q はトピックのARNではありません", arn),
				text.Say("write arn:aws:sns:REGION:ACCOUNT:TOPIC", "arn:aws:sns:リージョン:アカウント:トピック の形で書いてください"), "spec", "snsTopics", i)
		}
	}
	return all
}

func (s IntegrationSpec) beat() Heartbeat {
	if s.Heartbeat == nil {
		return Heartbeat{}
	}
	return *s.Heartbeat
}

// span judges a duration that must lie within bounds.
func span(d *ascode.Document, value string, least, most time.Duration, path ...any) []*fault.Error {
	v, err := time.ParseDuration(value)
	if err == nil && v >= least && v <= most {
		return nil
	}
	return []*fault.Error{d.Fault("alert.duration", text.Say("%q is not a duration between %s and %s", "%q は %s から %s までの時間ではありません", value, least, most),
		text.Say("write it like 90s, 15m or 12h", "90s、15m、12h のように書いてください"), path...)}
}

func (s *Service) putIntegration(ctx context.Context, tx *sql.Tx, d *ascode.Document) error {
	spec := specOf(d)
	err := db.New(tx).PutIntegration(ctx, db.PutIntegrationParams{Name: d.Name, Spec: database.JSON(spec), Owner: spec.Team, CreatedAt: database.Micros(s.Now())})
	if err != nil {
		return fmt.Errorf("save integration %s: %w", d.Name, err)
	}
	database.AfterCommit(ctx, s.known.forget)
	return nil
}

// dropIntegration takes an integration out with its keys. Its alerts stay.
func (s *Service) dropIntegration(ctx context.Context, tx *sql.Tx, d *ascode.Document) error {
	q := db.New(tx)
	if err := q.DropKeysOf(ctx, d.Name); err != nil {
		return fmt.Errorf("drop keys of %s: %w", d.Name, err)
	}
	if err := q.DropIntegration(ctx, d.Name); err != nil {
		return fmt.Errorf("drop integration %s: %w", d.Name, err)
	}
	database.AfterCommit(ctx, func() { s.known.forget(); s.keys.forget() })
	return nil
}
