package access

import (
	"context"
	"net/http"

	"github.com/teiten/teiten/kit/httpapi"
	"github.com/teiten/teiten/kit/text"
)

// Me is who asks, and what they may do.
type Me struct {
	Kind      Kind            `json:"kind" enum:"person,token,system"`
	ID        string          `json:"id" doc:"The person's, or the service token's."`
	Name      string          `json:"name"`
	Login     string          `json:"login,omitempty"`
	Role      Role            `json:"role" enum:"viewer,responder,editor,admin"`
	Teams     []string        `json:"teams" doc:"References of the teams owned: what they own may be edited."`
	Scopes    []httpapi.Scope `json:"scopes"`
	Language  text.Lang       `json:"language" enum:"en,ja,"`
	SessionID string          `json:"sessionId,omitempty"`
	Password  bool            `json:"password" doc:"Whether a password has been chosen."`
}

// RoleInfo describes a role, in the reader's language.
type RoleInfo struct {
	Role   Role            `json:"role"`
	Title  string          `json:"title"`
	About  string          `json:"about"`
	Scopes []httpapi.Scope `json:"scopes"`
}

// Invitation is a person and the one-time link to hand to them.
type Invitation struct {
	User User `json:"user"`
	Link Link `json:"link"`
}

// IssuedToken is a new token, the only time it is shown.
type IssuedToken struct {
	Token string    `json:"token" doc:"Keep it now: it is not shown again."`
	Info  TokenInfo `json:"info"`
}

// PasswordChange is a person's own change of password.
type PasswordChange struct {
	Current  string `json:"current,omitempty" maxLength:"1024" doc:"May be empty where none was chosen yet."`
	Password string `json:"password" maxLength:"1024"`
}

// SelfChange is what a person may change of themselves.
type SelfChange struct {
	Name     *string    `json:"name,omitempty" maxLength:"100"`
	Language *text.Lang `json:"language,omitempty" enum:"en,ja,"`
}

type (
	meOut      struct{ Body Me }
	rolesOut   struct{ Body httpapi.Page[RoleInfo] }
	selfIn     struct{ Body SelfChange }
	passwordIn struct {
		Agent  string `header:"User-Agent" hidden:"true"`
		Device string `cookie:"teiten_device" hidden:"true"`
		Body   PasswordChange
	}
	userIDIn struct {
		ID string `path:"id" maxLength:"100"`
	}
	userOut struct {
		ETag string `header:"ETag"`
		Body User
	}
	usersIn struct {
		httpapi.PageIn
		Query string `query:"q" maxLength:"200" doc:"Part of a name or an address."`
	}
	usersOut     struct{ Body httpapi.Page[User] }
	addUserIn    struct{ Body NewUser }
	inviteOut    struct{ Body Invitation }
	changeUserIn struct {
		httpapi.IfMatch
		ID   string `path:"id" maxLength:"100"`
		Body UserChange
	}
	sessionsIn struct {
		User string `query:"user" maxLength:"100" doc:"Whose; one's own if empty."`
	}
	sessionsOut struct{ Body httpapi.Page[Session] }
	tokensIn    struct {
		httpapi.PageIn
		All bool `query:"all" doc:"Everybody's, service tokens among them; needs access:admin."`
	}
	tokensOut  struct{ Body httpapi.Page[TokenInfo] }
	addTokenIn struct{ Body NewToken }
	tokenOut   struct{ Body IssuedToken }
	nothing    struct{}
)

// Register adds the room's operations and pages to a.
func (s *Service) Register(a *httpapi.API) {
	const tag = "Access"
	httpapi.Register(a, httpapi.Op{ID: "get-me", Method: http.MethodGet, Path: "/api/v1/me", Scope: httpapi.SignedIn, Tag: tag,
		Summary: "Who asks, and what they may do"}, s.handleMe)
	httpapi.Register(a, httpapi.Op{ID: "change-me", Method: http.MethodPatch, Path: "/api/v1/me", Scope: httpapi.SignedIn, Tag: tag,
		Summary: "Change one's own name or language"}, s.handleChangeMe)
	httpapi.Register(a, httpapi.Op{ID: "change-password", Method: http.MethodPost, Path: "/api/v1/me/password", Scope: httpapi.SignedIn, Tag: tag,
		Summary: "Change one's own password", Description: "Every other session ends."}, s.handlePassword)
	httpapi.Register(a, httpapi.Op{ID: "list-roles", Method: http.MethodGet, Path: "/api/v1/roles", Scope: httpapi.SignedIn, Tag: tag,
		Summary: "The roles, and the scopes each has"}, handleRoles)

	httpapi.Register(a, httpapi.Op{ID: "list-users", Method: http.MethodGet, Path: "/api/v1/users", Scope: AccessRead, Tag: tag,
		Summary: "The people, by address"}, s.handleUsers)
	httpapi.Register(a, httpapi.Op{ID: "add-user", Method: http.MethodPost, Path: "/api/v1/users", Scope: AccessAdmin, Tag: tag, Status: http.StatusCreated,
		Summary: "Add a person and invite them by a one-time link"}, s.handleAddUser)
	httpapi.Register(a, httpapi.Op{ID: "get-user", Method: http.MethodGet, Path: "/api/v1/users/{id}", Scope: httpapi.SignedIn, Tag: tag,
		Summary: "One person", Description: "Others than oneself need access:read."}, s.handleUser)
	httpapi.Register(a, httpapi.Op{ID: "change-user", Method: http.MethodPatch, Path: "/api/v1/users/{id}", Scope: AccessAdmin, Tag: tag,
		Summary: "Change a person's name, role, teams or language, or disable them"}, s.handleChangeUser)
	httpapi.Register(a, httpapi.Op{ID: "invite-user", Method: http.MethodPost, Path: "/api/v1/users/{id}/invitation", Scope: AccessAdmin, Tag: tag,
		Summary: "A new one-time link with which a person chooses a password"}, s.handleInvite)

	httpapi.Register(a, httpapi.Op{ID: "list-sessions", Method: http.MethodGet, Path: "/api/v1/sessions", Scope: httpapi.SignedIn, Tag: tag,
		Summary: "Live sessions, one's own or (access:admin) anybody's"}, s.handleSessions)
	httpapi.Register(a, httpapi.Op{ID: "end-sessions", Method: http.MethodDelete, Path: "/api/v1/sessions", Scope: httpapi.SignedIn, Tag: tag,
		Summary: "End all sessions but this one"}, s.handleEndSessions)
	httpapi.Register(a, httpapi.Op{ID: "end-session", Method: http.MethodDelete, Path: "/api/v1/sessions/{id}", Scope: httpapi.SignedIn, Tag: tag,
		Summary: "End one session"}, s.handleEndSession)

	httpapi.Register(a, httpapi.Op{ID: "list-tokens", Method: http.MethodGet, Path: "/api/v1/tokens", Scope: httpapi.SignedIn, Tag: tag,
		Summary: "Tokens, newest first"}, s.handleTokens)
	httpapi.Register(a, httpapi.Op{ID: "create-token", Method: http.MethodPost, Path: "/api/v1/tokens", Scope: httpapi.SignedIn, Tag: tag, Status: http.StatusCreated,
		Summary: "Make a token; it is shown once"}, s.handleAddToken)
	httpapi.Register(a, httpapi.Op{ID: "revoke-token", Method: http.MethodDelete, Path: "/api/v1/tokens/{id}", Scope: httpapi.SignedIn, Tag: tag,
		Summary: "Revoke a token"}, s.handleRevokeToken)

	s.registerPages(a)
}

func (s *Service) handleMe(ctx context.Context, _ *nothing) (*meOut, error) {
	p, _ := From(ctx)
	me := Me{
		Kind: p.Kind, ID: p.ID(), Name: p.Name, Role: p.Role, Teams: p.Owns, Scopes: p.Scopes,
		Language: p.Language, SessionID: p.SessionID,
	}
	if p.UserID != "" {
		u, err := s.User(ctx, p.UserID)
		if err != nil {
			return nil, err
		}
		me.ID, me.Login, me.Password = u.ID, u.Login, u.password != ""
	}
	return &meOut{me}, nil
}

func (s *Service) handleChangeMe(ctx context.Context, in *selfIn) (*userOut, error) {
	u, err := s.ChangeSelf(ctx, in.Body.Name, in.Body.Language)
	return &userOut{u.Version, u}, err
}

func (s *Service) handlePassword(ctx context.Context, in *passwordIn) (*nothing, error) {
	return nil, s.ChangePassword(ctx, in.Body.Current, in.Body.Password,
		Visit{Address: httpapi.ClientIP(ctx), Agent: in.Agent, Device: in.Device})
}

func handleRoles(ctx context.Context, _ *nothing) (*rolesOut, error) {
	lang, out := text.LangFrom(ctx), &rolesOut{}
	for i := range roles {
		r := &roles[i]
		out.Body.Items = append(out.Body.Items, RoleInfo{r.role, r.title.In(lang), r.about.In(lang), r.role.Scopes()})
	}
	return out, nil
}

const (
	userCursor  = "users"
	tokenCursor = "tokens"
)

func (s *Service) handleUsers(ctx context.Context, in *usersIn) (*usersOut, error) {
	var after string
	if in.Cursor != "" {
		if err := httpapi.DecodeCursor(userCursor, in.Cursor, &after); err != nil {
			return nil, err
		}
	}
	users, err := s.Users(ctx, UserFilter{Query: in.Query, After: after, Limit: in.Limit})
	if err != nil {
		return nil, err
	}
	out := &usersOut{httpapi.Page[User]{Items: users}}
	if len(users) > in.Limit {
		out.Body.Items = users[:in.Limit]
		out.Body.Next = httpapi.EncodeCursor(userCursor, users[in.Limit-1].Login)
	}
	return out, nil
}

func (s *Service) handleUser(ctx context.Context, in *userIDIn) (*userOut, error) {
	u, err := s.User(ctx, in.ID)
	return &userOut{u.Version, u}, err
}

func (s *Service) handleAddUser(ctx context.Context, in *addUserIn) (*inviteOut, error) {
	u, link, err := s.AddUser(ctx, in.Body)
	return &inviteOut{Invitation{u, link}}, err
}

func (s *Service) handleChangeUser(ctx context.Context, in *changeUserIn) (*userOut, error) {
	u, err := s.ChangeUser(ctx, in.ID, in.Check, in.Body)
	return &userOut{u.Version, u}, err
}

func (s *Service) handleInvite(ctx context.Context, in *userIDIn) (*inviteOut, error) {
	link, err := s.Invite(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	u, err := s.User(ctx, in.ID)
	return &inviteOut{Invitation{u, link}}, err
}

func (s *Service) handleSessions(ctx context.Context, in *sessionsIn) (*sessionsOut, error) {
	sessions, err := s.Sessions(ctx, in.User)
	return &sessionsOut{httpapi.Page[Session]{Items: sessions}}, err
}

func (s *Service) handleEndSession(ctx context.Context, in *userIDIn) (*nothing, error) {
	return nil, s.EndSession(ctx, in.ID)
}

func (s *Service) handleEndSessions(ctx context.Context, in *sessionsIn) (*nothing, error) {
	return nil, s.EndSessions(ctx, in.User)
}

func (s *Service) handleTokens(ctx context.Context, in *tokensIn) (*tokensOut, error) {
	var before string
	if in.Cursor != "" {
		if err := httpapi.DecodeCursor(tokenCursor, in.Cursor, &before); err != nil {
			return nil, err
		}
	}
	tokens, err := s.Tokens(ctx, in.All, before, in.Limit)
	if err != nil {
		return nil, err
	}
	out := &tokensOut{httpapi.Page[TokenInfo]{Items: tokens}}
	if len(tokens) > in.Limit {
		out.Body.Items = tokens[:in.Limit]
		out.Body.Next = httpapi.EncodeCursor(tokenCursor, tokens[in.Limit-1].ID)
	}
	return out, nil
}

func (s *Service) handleAddToken(ctx context.Context, in *addTokenIn) (*tokenOut, error) {
	secret, info, err := s.IssueToken(ctx, in.Body)
	return &tokenOut{IssuedToken{secret, info}}, err
}

func (s *Service) handleRevokeToken(ctx context.Context, in *userIDIn) (*nothing, error) {
	return nil, s.RevokeToken(ctx, in.ID)
}
