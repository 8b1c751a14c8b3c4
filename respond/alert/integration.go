package alert

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/teiten/teiten/respond/alert/format"
)

// Integration is a source of alerts: how its messages read, and what it adds to
// them. Whoever has one of its keys may send.
type Integration struct {
	APIVersion string              `json:"apiVersion"`
	Kind       string              `json:"kind"`
	Metadata   IntegrationMetadata `json:"metadata"`
	Spec       IntegrationSpec     `json:"spec"`
}

// IntegrationMetadata names an integration.
type IntegrationMetadata struct {
	Name        string            `json:"name" doc:"How it is referred to; alerts carry it as the label integration." ja:"参照に使う名前。アラートには integration ラベルとして付きます。"`
	Title       string            `json:"title,omitempty" doc:"What people call it." ja:"表示名。"`
	Description string            `json:"description,omitempty" doc:"What it is for." ja:"説明。"`
	Labels      map[string]string `json:"labels,omitempty" doc:"Labels of the integration itself, not of its alerts." ja:"連携自体のラベル(アラートには付きません)。"`
}

// IntegrationSpec is what the document says under spec.
type IntegrationSpec struct {
	Format   string            `json:"format,omitempty" doc:"The format of its messages, such as alertmanager; auto when absent: each message is read as what it looks like." ja:"メッセージの形式(例: alertmanager)。省略時は auto で、内容から判別します。"`
	Service  string            `json:"service,omitempty" doc:"The service of alerts that name none." ja:"サービスを示さないアラートに付けるサービス。"`
	Team     string            `json:"team,omitempty" doc:"The team that owns the integration, and alerts whose service nobody owns." ja:"連携の担当チーム。担当のないサービスのアラートもこのチームが受け取ります。"`
	Severity format.Severity   `json:"severity,omitempty" enum:"critical,error,warning,info" doc:"The severity of alerts that name none." ja:"重大度を示さないアラートの重大度。"`
	Labels   map[string]string `json:"labels,omitempty" doc:"Labels added to its alerts where they lack them." ja:"アラートにないときに補うラベル。"`
	// ResolveAfter and Heartbeat are written like "12h".
	ResolveAfter string     `json:"resolveAfter,omitempty" doc:"Ends an alert that its source has not repeated for this long, such as 12h. Absent: only its source or a person ends it." ja:"送信元が繰り返さなくなってからアラートを終了するまでの時間(例: 12h)。省略時は送信元か担当者が終了させるまで続きます。"`
	Heartbeat    *Heartbeat `json:"heartbeat,omitempty" doc:"Makes silence of the source an alert." ja:"送信元からの連絡が途絶えたことをアラートにします。"`
	SNSTopics    []string   `json:"snsTopics,omitempty" doc:"Topics of Amazon SNS whose subscription is confirmed by itself, as ARNs that may end in *. Messages of others are refused." ja:"購読を自動で確認するAmazon SNSトピックのARN(末尾に * を使えます)。ほかのトピックのメッセージは拒否します。"`
}

// Heartbeat says how often a source is to be heard of.
type Heartbeat struct {
	Every    string          `json:"every" doc:"At least one message of any kind must arrive within this time, such as 5m." ja:"この時間内に、何らかのメッセージが1件以上届く必要があります(例: 5m)。"`
	Severity format.Severity `json:"severity,omitempty" enum:"critical,error,warning,info" doc:"How bad it is when none does; critical when absent." ja:"届かないときの重大度。省略時は critical。"`
}

// The integrations that are there without a document: the product's own.
const (
	fromSLO    = "slo"
	fromTeiten = "teiten"
)

// integration is one with what is known of it.
type integration struct {
	name         string
	spec         IntegrationSpec
	format       *format.Format
	resolveAfter time.Duration
	beat         time.Duration
	seenAt       int64
	updatedAt    int64
}

// auto is the format that stands for any.
const auto = "auto"

func newIntegration(name string, spec IntegrationSpec) *integration {
	n := &integration{name: name, spec: spec, format: format.Named(spec.Format)}
	n.resolveAfter, _ = time.ParseDuration(spec.ResolveAfter) // checked when it was applied
	if spec.Heartbeat != nil {
		n.beat, _ = time.ParseDuration(spec.Heartbeat.Every)
	}
	return n
}

// formats are the names that an integration may give.
func formats() []string {
	all := []string{auto}
	for _, f := range format.All {
		all = append(all, f.Name)
	}
	return all
}

// enrich adds to an alert what its integration knows. Its fingerprint is that of
// the alert as its source tells it, with what tells sources apart.
func (n *integration) enrich(a *format.Alert) {
	for name, v := range n.spec.Labels {
		if a.Labels[name] == "" {
			a.Labels[name] = v
		}
	}
	if a.Labels["service"] == "" && n.spec.Service != "" {
		a.Labels["service"] = n.spec.Service
	}
	if a.Severity == "" {
		a.Severity = n.spec.Severity
	}
	if a.Severity != "" && a.Labels["severity"] == "" {
		a.Labels["severity"] = string(a.Severity)
	}
	if a.Labels["integration"] == "" {
		a.Labels["integration"] = n.name
	}
}

// tidy keeps labels that can be matched and shown, in bounds.
func tidy(a *format.Alert) {
	const mostLabels, longestName, longestValue = 64, 200, 1000
	if a.Labels == nil {
		a.Labels = map[string]string{}
	}
	for i, name := range slices.Sorted(maps.Keys(a.Labels)) {
		v := strings.TrimSpace(storable(a.Labels[name]))
		delete(a.Labels, name)
		name = strings.TrimSpace(storable(name))
		if name == "" || v == "" || i >= mostLabels || len(name) > longestName {
			continue
		}
		if len(v) > longestValue {
			v = strings.ToValidUTF8(v[:longestValue], "") + "…"
		}
		a.Labels[name] = v
	}
	annotations := map[string]string{}
	for name, v := range a.Annotations {
		annotations[storable(name)] = storable(v)
	}
	a.Annotations = annotations
	for _, s := range []*string{&a.Key, &a.Title, &a.Body, &a.Link, &a.Runbook} {
		*s = storable(*s)
	}
}

// storable is a text as every database takes it.
func storable(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "�"), "\x00", "")
}

// Key is what is known of a key of an integration; the key itself is shown once.
type Key struct {
	ID          string    `json:"id"`
	Integration string    `json:"integration"`
	Hint        string    `json:"hint" doc:"How the key begins, to recognise it by."`
	CreatedAt   time.Time `json:"createdAt"`
	CreatedBy   string    `json:"createdBy"`
}

const (
	keyPrefix   = "ti_"
	keySize     = len(keyPrefix) + 43
	keyHintSize = len(keyPrefix) + 5
)

// newKey is 256 random bits that can stand in a path.
func newKey() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails: the process would have ended
	return keyPrefix + base64.RawURLEncoding.EncodeToString(b)
}

// digest is how a key is stored. Keys are random and long, so that a plain hash
// cannot be turned back.
func digest(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:])
}
