package access

import (
	"net/mail"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/httpapi"
	"github.com/teiten/teiten/kit/text"
)

// User is a person who may sign in. Login is an e-mail address in lower case.
// Teams are references of the teams that the person owns.
type User struct {
	ID         string     `json:"id"`
	Login      string     `json:"login" doc:"An e-mail address."`
	Name       string     `json:"name"`
	Role       Role       `json:"role" enum:"viewer,responder,editor,admin"`
	Teams      []string   `json:"teams" doc:"References of the teams the person owns: team:payments."`
	Language   text.Lang  `json:"language" enum:"en,ja,"`
	State      State      `json:"state" enum:"invited,active,disabled"`
	CreatedAt  time.Time  `json:"createdAt"`
	UpdatedAt  time.Time  `json:"updatedAt"`
	SignedInAt *time.Time `json:"signedInAt,omitempty"`
	Version    string     `json:"etag" doc:"Send it as If-Match with a change."`

	disabled bool
	password string
}

// State is where a person stands: invited until they chose a password or came
// in by a link, then active, unless disabled.
type State string

// The states of a user.
const (
	Invited  State = "invited"
	Active   State = "active"
	Disabled State = "disabled"
)

// state follows from what is stored.
func (u User) state() State {
	switch {
	case u.disabled:
		return Disabled
	case u.password == "" && u.SignedInAt == nil:
		return Invited
	}
	return Active
}

// Ref is how the journal names the user.
func (u User) Ref() journal.Ref { return journal.RefTo("user", u.ID) }

// etag names this version of the user.
func (u User) etag() string {
	return httpapi.ETag(u.ID, strconv.FormatInt(u.UpdatedAt.UnixMicro(), 10))
}

// administers reports whether the user can really administer: somebody must.
func (u User) administers() bool { return u.Role == Admin && u.state() == Active }

// scopes is what the person may do, by role and by owning a team.
func (u User) scopes() []httpapi.Scope {
	all := u.Role.Scopes()
	if len(u.Teams) > 0 {
		for _, s := range ownerScopes {
			if !slices.Contains(all, s) {
				all = append(all, s)
			}
		}
	}
	return all
}

func (u User) principal() Principal {
	return Principal{
		Kind: Person, UserID: u.ID, Name: u.Name, Login: u.Login, Role: u.Role, Owns: u.Teams, Scopes: u.scopes(), Language: u.Language,
	}
}

// NewUser describes a person to be added.
type NewUser struct {
	Login    string    `json:"login" maxLength:"254" doc:"An e-mail address." example:"sato@example.com"`
	Name     string    `json:"name" maxLength:"100"`
	Role     Role      `json:"role" enum:"viewer,responder,editor,admin"`
	Teams    []string  `json:"teams,omitempty" maxItems:"100" doc:"Teams the person owns: payments or team:payments."`
	Language text.Lang `json:"language,omitempty" enum:"en,ja," doc:"The language the person reads; as the browser says if empty."`
}

// check tidies what was entered and returns what is wrong with it.
func (n NewUser) check() (NewUser, error) {
	var faults []*fault.Error
	note := func(err error) {
		if f, ok := fault.As(err); ok {
			faults = append(faults, f)
		}
	}
	var err error
	n.Login, err = checkLogin(n.Login)
	note(err)
	n.Name, err = checkName(n.Name)
	note(err)
	if !n.Role.Valid() {
		note(badRole(n.Role))
	}
	n.Teams, err = checkTeams(n.Teams)
	note(err)
	return n, fault.Join(faults)
}

func checkLogin(s string) (string, error) {
	s = strings.ToLower(strings.TrimSpace(s))
	addr, err := mail.ParseAddress(s)
	if err != nil || addr.Address != s || len(s) > 254 || strings.ContainsFunc(s, unicode.IsSpace) {
		return s, fault.New(fault.Invalid, "access.login", text.Say("this is not an e-mail address", "メールアドレスとして読めません")).
			Fix(text.Say("write one such as sato@example.com", "sato@example.com のように書いてください")).On("body.login")
	}
	return s, nil
}

func checkName(s string) (string, error) {
	s = strings.TrimSpace(s)
	if s == "" || utf8.RuneCountInString(s) > 100 || strings.ContainsFunc(s, unicode.IsControl) || !utf8.ValidString(s) {
		return s, fault.New(fault.Invalid, "access.name", text.Say("a name has 1 to 100 characters", "名前は1〜100文字です")).On("body.name")
	}
	return s, nil
}

func badRole(r Role) error {
	return fault.New(fault.Invalid, "access.role", text.Say("there is no role %q", "%q というロールはありません", string(r))).
		Fix(text.Say("use viewer, responder, editor or admin", "viewer、responder、editor、admin のいずれかにしてください")).On("body.role")
}

func checkTeams(teams []string) ([]string, error) {
	out := make([]string, 0, len(teams))
	for _, t := range teams {
		ref := teamRef(t)
		if name := strings.TrimPrefix(ref, "team:"); name == "" || len(name) > 200 || strings.ContainsFunc(name, unicode.IsSpace) {
			return nil, fault.New(fault.Invalid, "access.team", text.Say("%q is not the name of a team", "%q はチームの名前ではありません", t)).On("body.teams")
		}
		out = append(out, ref)
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// UserChange is what an edit changes; nil leaves a field as it is.
type UserChange struct {
	Name     *string    `json:"name,omitempty" maxLength:"100"`
	Role     *Role      `json:"role,omitempty" enum:"viewer,responder,editor,admin"`
	Teams    *[]string  `json:"teams,omitempty" maxItems:"100"`
	Language *text.Lang `json:"language,omitempty" enum:"en,ja,"`
	Disabled *bool      `json:"disabled,omitempty" doc:"A disabled person's sessions and personal tokens end at once."`
}

// apply returns the user after the change.
func (c UserChange) apply(u User) (User, error) {
	var err error
	if c.Name != nil {
		if u.Name, err = checkName(*c.Name); err != nil {
			return u, err
		}
	}
	if c.Role != nil {
		if u.Role = *c.Role; !u.Role.Valid() {
			return u, badRole(u.Role)
		}
	}
	if c.Teams != nil {
		if u.Teams, err = checkTeams(*c.Teams); err != nil {
			return u, err
		}
	}
	if c.Language != nil {
		u.Language = *c.Language
	}
	if c.Disabled != nil {
		u.disabled = *c.Disabled
	}
	return u.derived(), nil
}

// derived fills in what follows from the rest.
func (u User) derived() User {
	u.State, u.Version = u.state(), u.etag()
	return u
}

func noUser() error {
	return fault.New(fault.NotFound, "access.no_user", text.Say("there is no such person", "該当する利用者が見つかりません")).
		Fix(text.Say("see the list of people", "利用者の一覧を確認してください"))
}

func lastAdmin() error {
	return fault.New(fault.Conflict, "access.last_admin",
		text.Say("this is the last administrator who can sign in", "サインインできる最後の管理者です")).
		Fix(text.Say("make somebody else an administrator first", "先にほかの人を管理者にしてください"))
}
