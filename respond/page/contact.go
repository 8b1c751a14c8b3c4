package page

import (
	"cmp"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"time"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/recur"
	"github.com/teiten/teiten/kit/secret"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/notify"
	"github.com/teiten/teiten/notify/notice"
)

// Method is one way to reach one person. Until it is verified, which is to say
// until a code that was sent over it came back, it is not used.
type Method struct {
	ID         string
	Person     string
	Title      string
	Spec       MethodSpec
	CreatedAt  time.Time
	VerifiedAt time.Time
	DisabledAt time.Time

	code code
}

// MethodSpec says how a method reaches its person. What Address is depends on the
// type; it and Token are secret where they let anybody send.
type MethodSpec struct {
	Type    notify.ChannelType `json:"type"`
	Address secret.Secret      `json:"address"`
	Token   secret.Secret      `json:"token,omitempty"`
	P256DH  string             `json:"p256dh,omitempty"` // of a browser's subscription
	Auth    secret.Secret      `json:"auth,omitempty"`   // of a browser's subscription
}

// State is unverified, verified or disabled.
func (m Method) State() string {
	switch {
	case !m.DisabledAt.IsZero():
		return "disabled"
	case m.VerifiedAt.IsZero():
		return "unverified"
	}
	return "verified"
}

// usable reports whether the method may be used for a page.
func (m Method) usable() bool { return m.State() == "verified" }

// wayKind is the kind of way under which notify finds contact methods.
const wayKind = "contact"

func (m Method) way() string { return wayKind + ":" + m.ID }

// limits are how many messages a person's method takes, by its type: more wait
// and go together. What a program reads has none.
var limits = map[notify.ChannelType]*notify.Limit{
	notify.TypeSMS:       {Messages: 10, Per: "10m"},
	notify.TypeVoice:     {Messages: 4, Per: "10m"},
	notify.TypeEmail:     {Messages: 30, Per: "10m"},
	notify.TypeNtfy:      {Messages: 30, Per: "10m"},
	notify.TypeWebPush:   {Messages: 30, Per: "10m"},
	notify.TypeSlack:     {Messages: 30, Per: "10m"},
	notify.TypeTeams:     {Messages: 30, Per: "10m"},
	notify.TypeLineWorks: {Messages: 30, Per: "10m"},
}

// channel is the method as notify carries messages over it.
func (m Method) channel(p Preferences) notify.Channel {
	s := notify.Spec{Type: m.Spec.Type, Language: p.Language, TimeZone: p.TimeZone, AtMost: limits[m.Spec.Type]}
	switch m.Spec.Type {
	case notify.TypeWebhook:
		s.Webhook = &notify.WebhookSpec{URL: m.Spec.Address, Secret: m.Spec.Token}
	case notify.TypeSlack:
		s.Slack = &notify.SlackSpec{URL: m.Spec.Address}
	case notify.TypeEmail:
		s.Email = &notify.EmailSpec{To: []string{string(m.Spec.Address)}}
	case notify.TypeTeams:
		s.Teams = &notify.TeamsSpec{URL: m.Spec.Address}
	case notify.TypeLineWorks:
		s.LineWorks = &notify.LineWorksSpec{URL: m.Spec.Address}
	case notify.TypeNtfy:
		s.Ntfy = &notify.NtfySpec{URL: m.Spec.Address, Token: m.Spec.Token}
	case notify.TypeSMS:
		s.SMS = &notify.PhoneSpec{To: string(m.Spec.Address)}
	case notify.TypeVoice:
		s.Voice = &notify.PhoneSpec{To: string(m.Spec.Address)}
	case notify.TypeWebPush:
		s.WebPush = &notify.WebPushSpec{Endpoint: m.Spec.Address, P256DH: m.Spec.P256DH, Auth: m.Spec.Auth}
	}
	return notify.Channel{Name: m.way(), Title: m.Title, Spec: s}
}

const mostMethods = 20

// check refuses a method that cannot reach anybody.
func (m Method) check() error {
	if n := len([]rune(m.Title)); n > 100 {
		return fault.New(fault.Invalid, "page.method_title", text.Say("a name has at most 100 characters", "名前は100文字以内です")).On("body.title")
	}
	if !slices.Contains(methodTypes, m.Spec.Type) {
		return fault.New(fault.Invalid, "page.method_type", text.Say("there is no method %q", "連絡方法%qはありません", notice.OneLine(string(m.Spec.Type), 40))).
			Fix(text.Say("use one of %v", "次のいずれかにしてください: %v", methodTypes)).On("body.type")
	}
	if m.Spec.Address.IsReference() || m.Spec.Token.IsReference() {
		return fault.New(fault.Invalid, "page.method_reference",
			text.Say("a contact method names no secret of the server", "連絡方法にサーバーのシークレット参照は使えません")).On("body.address")
	}
	for _, p := range m.channel(Preferences{}).Spec.Problems() {
		return fault.New(fault.Invalid, p.Code, p.What).Fix(p.Remedy).On("body.address")
	}
	return nil
}

// methodTypes are the types of method, in the order in which they are offered.
var methodTypes = []notify.ChannelType{
	notify.TypeEmail, notify.TypeSlack, notify.TypeNtfy, notify.TypeWebPush, notify.TypeSMS, notify.TypeVoice,
	notify.TypeWebhook, notify.TypeTeams, notify.TypeLineWorks,
}

// A code proves that somebody reads what is sent over a method.
type code struct {
	hash  string
	until time.Time
	tries int
}

const (
	codeLife  = 15 * time.Minute
	codeTries = 5
)

var codeShape = regexp.MustCompile(`^[0-9]{6}$`)

// newCode draws a code and returns it with what is kept of it.
func newCode(id string, now time.Time) (string, code, error) {
	n, err := rand.Int(rand.Reader, big.NewInt(1_000_000))
	if err != nil {
		return "", code{}, fmt.Errorf("draw a code: %w", err)
	}
	s := fmt.Sprintf("%06d", n)
	return s, code{hash: codeHash(id, s), until: now.Add(codeLife)}, nil
}

func codeHash(id, s string) string {
	sum := sha256.Sum256([]byte("code\x00" + id + "\x00" + s))
	return hex.EncodeToString(sum[:])
}

// verified is the method after a code was entered, and the fault when it is not
// the one. A wrong try counts: the caller stores the method in either case.
func (m Method) verified(entered string, now time.Time) (Method, error) {
	switch {
	case m.code.hash == "" || now.After(m.code.until):
		return m, fault.New(fault.Conflict, "page.code_expired", text.Say("no code is valid now", "有効な確認コードがありません")).
			Fix(text.Say("have a new one sent", "もう一度送信してください"))
	case m.code.tries >= codeTries:
		return m, fault.New(fault.Limited, "page.code_tries", text.Say("too many wrong codes", "間違ったコードの入力が多すぎます")).
			Fix(text.Say("have a new one sent", "もう一度送信してください"))
	}
	m.code.tries++
	if !codeShape.MatchString(entered) || subtle.ConstantTimeCompare([]byte(codeHash(m.ID, entered)), []byte(m.code.hash)) != 1 {
		return m, fault.New(fault.Invalid, "page.code_wrong", text.Say("this is not the code that was sent", "送信したコードと一致しません")).
			Fix(text.Say("look for the newest message of Teiten there", "そこに届いた最新のTeitenのメッセージを確認してください")).On("body.code")
	}
	m.VerifiedAt, m.DisabledAt, m.code = now, time.Time{}, code{}
	return m, nil
}

// Preferences are how a person wants to be reached.
type Preferences struct {
	Language string `json:"language,omitempty" enum:"en,ja," doc:"The language of their messages; en when absent."`
	TimeZone string `json:"timeZone,omitempty" maxLength:"100" doc:"The time zone of their hours and messages; UTC when absent."`
	Rules    []Rule `json:"rules,omitempty" maxItems:"20" doc:"The first rule that fits says how. Without one, every verified method at once."`
}

// Rule is how a person wants to be reached in some case.
type Rule struct {
	Urgency Urgency   `json:"urgency,omitempty" enum:"high,low," doc:"high: critical, error, or of no known severity. Absent: both."`
	Hours   []string  `json:"hours,omitempty" maxItems:"20" doc:"Only in these hours, such as Mon-Fri 09:00-18:00."`
	Methods []Planned `json:"methods" minItems:"1" maxItems:"20" doc:"Which methods, in order."`
}

// Planned is a method and how long after the page it is used.
type Planned struct {
	Method string `json:"method" maxLength:"100" doc:"The id of the method."`
	After  string `json:"after,omitempty" maxLength:"20" doc:"How long after the page begins, if nobody has answered: 2m. Absent: at once."`
}

func (p Preferences) zone() *time.Location {
	z, err := time.LoadLocation(cmp.Or(p.TimeZone, "UTC"))
	if err != nil {
		return time.UTC // it was checked when it was stored
	}
	return z
}

// fits reports whether a rule is for an urgency at a time.
func (r Rule) fits(u Urgency, at time.Time, zone *time.Location) bool {
	if r.Urgency != "" && r.Urgency != u {
		return false
	}
	if len(r.Hours) == 0 {
		return true
	}
	hours, _, err := recur.ParseHours(r.Hours)
	if err != nil {
		return true // it was checked when it was stored; better once too often
	}
	for open := range (recur.Week{Hours: hours, Zone: zone}).Between(at, at.Add(time.Second)) {
		return !open.From.After(at)
	}
	return false
}

// chosen is a method and how long after the step it is used.
type chosen struct {
	method Method
	after  time.Duration
}

// choose says by which methods a person is reached, and which rule says so: 0 is
// none, and then it is every method that may be used, at once. A rule that leads
// to no method that may be used does not keep the person from being reached.
func (p Preferences) choose(methods []Method, u Urgency, at time.Time) (ways []chosen, rule int) {
	usable := map[string]Method{}
	for _, m := range methods {
		if m.usable() {
			usable[m.ID] = m
		}
	}
	for i, r := range p.Rules {
		if !r.fits(u, at, p.zone()) {
			continue
		}
		for _, planned := range r.Methods {
			if m, ok := usable[planned.Method]; ok {
				ways = append(ways, chosen{m, duration(planned.After, 0)})
			}
		}
		if len(ways) > 0 {
			slices.SortStableFunc(ways, func(a, b chosen) int { return cmp.Compare(a.after, b.after) })
			first := ways[0].after
			for i := range ways { // who waits for the first method is not reached
				ways[i].after -= first
			}
			return ways, i + 1
		}
	}
	for _, m := range methods {
		if m.usable() {
			ways = append(ways, chosen{m, 0})
		}
	}
	return ways, 0
}

// check refuses preferences that cannot be followed.
func (p Preferences) check(methods []Method) error {
	var all []*fault.Error
	bad := func(code string, what, remedy text.Both, path ...any) {
		all = append(all, fault.New(fault.Invalid, "page."+code, what).Fix(remedy).On(fmt.Sprint(append([]any{"body"}, path...)...)))
	}
	if _, err := time.LoadLocation(p.TimeZone); err != nil || p.TimeZone == "Local" {
		bad("zone", text.Say("there is no time zone %q", "タイムゾーン%qはありません", notice.OneLine(p.TimeZone, 60)),
			text.Say("write a name such as Asia/Tokyo", "Asia/Tokyo のような名前を書いてください"), ".timeZone")
	}
	for i, r := range p.Rules {
		checkHours(r.Hours, bad, ".rules", i)
		for _, m := range r.Methods {
			checkAfter(m.After, bad, ".rules", i)
			if !slices.ContainsFunc(methods, func(x Method) bool { return x.ID == m.Method }) {
				bad("rule_method", text.Say("there is no method %q", "連絡方法%qはありません", notice.OneLine(m.Method, 60)),
					text.Say("use the id of one of your methods", "自分の連絡方法のIDを指定してください"), ".rules", i)
			}
		}
	}
	return fault.Join(all)
}
