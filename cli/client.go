package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/teiten/teiten/app"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/httpapi"
	"github.com/teiten/teiten/kit/text"
)

// remote are the flags of every command that speaks to a server.
type remote struct {
	Server    string `help:"Address of the server." env:"TEITEN_SERVER" default:"http://127.0.0.1:9469" placeholder:"URL"`
	TokenFile string `help:"File with the token, readable by you alone; TEITEN_TOKEN wins." env:"TEITEN_TOKEN_FILE" placeholder:"FILE"`
}

const (
	clientTimeout  = 2 * time.Minute // an apply of thousands of documents takes a while
	largestAnswer  = 256 << 20
	pageSize       = "500"
	openPermission = 0o077 // bits that let others read a file
)

// client speaks to the API of one server.
type client struct {
	base  string
	token string
	lang  text.Lang
	http  *http.Client
	// ifMatch is the version that the next calls change, "" where they name none.
	ifMatch string
}

// client returns what the flags and the environment describe.
func (r remote) client(s *streams) (*client, error) {
	u, err := url.Parse(r.Server)
	if err != nil || u.Host == "" {
		return nil, fault.New(fault.Invalid, "cli.server", text.Say("--server: %q is not a URL", "--server: %q はURLとして読めません", r.Server)).
			Fix(text.Say("write http://127.0.0.1:9469", "http://127.0.0.1:9469 のように書いてください"))
	}
	token, err := r.token(s)
	if err != nil {
		return nil, err
	}
	return &client{base: strings.TrimRight(r.Server, "/"), token: token, lang: s.lang, http: &http.Client{Timeout: clientTimeout}}, nil
}

func (r remote) token(s *streams) (string, error) {
	if t := s.env("TEITEN_TOKEN"); t != "" {
		return t, nil
	}
	file, named := r.TokenFile, r.TokenFile != ""
	if !named {
		file = defaultTokenFile(s)
	}
	info, err := os.Stat(file)
	if errors.Is(err, fs.ErrNotExist) && !named {
		return "", nil
	}
	if err != nil {
		return "", fault.New(fault.NotFound, "cli.token_file", text.Say("the token file %s cannot be read", "トークンのファイル %s を読めません", file)).Wrap(err)
	}
	if info.Mode()&openPermission != 0 {
		return "", fault.New(fault.Denied, "cli.token_file_open", text.Say("others can read the token file %s", "トークンのファイル %s は他の人からも読めます", file)).
			Fix(text.Say("chmod 600 %s", "chmod 600 %s を実行してください", file))
	}
	b, err := os.ReadFile(file)
	return strings.TrimSpace(string(b)), err
}

// defaultTokenFile is teiten/token in the folder for a person's settings.
func defaultTokenFile(s *streams) string {
	dir := s.env("XDG_CONFIG_HOME")
	if dir == "" {
		dir = filepath.Join(s.env("HOME"), ".config")
	}
	return filepath.Join(dir, "teiten", "token")
}

// env reads a variable of the command's environment.
func (s *streams) env(name string) string {
	for _, line := range s.environ {
		if v, ok := strings.CutPrefix(line, name+"="); ok {
			return v
		}
	}
	return ""
}

// call asks the API and decodes a JSON answer into out, unless that is nil. A
// problem comes back as the fault it describes.
func (c *client) call(ctx context.Context, method, path string, query url.Values, in, out any) error {
	body, err := c.raw(ctx, method, path, query, in)
	if err != nil || out == nil || len(body) == 0 {
		return err
	}
	if err := json.Unmarshal(body, out); err != nil {
		return fmt.Errorf("read the server's answer: %w", err)
	}
	return nil
}

// raw is call that returns the answer as it came.
func (c *client) raw(ctx context.Context, method, path string, query url.Values, in any) ([]byte, error) {
	r, err := c.request(ctx, method, path, query, in)
	if err != nil {
		return nil, err
	}
	answer, err := c.http.Do(r)
	if err != nil {
		return nil, fault.New(fault.Unavailable, "cli.no_server", text.Say("no server answers at %s", "%s のサーバーが応答しません", c.base)).
			Fix(text.Say("start one with `teiten serve`, or name another with --server", "`teiten serve` で起動するか、--server で接続先を指定してください")).Wrap(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, largestAnswer))
	if err != nil {
		return nil, fmt.Errorf("read the server's answer: %w", err)
	}
	if answer.StatusCode < http.StatusBadRequest {
		return body, nil
	}
	return nil, c.problem(answer, body)
}

func (c *client) request(ctx context.Context, method, path string, query url.Values, in any) (*http.Request, error) {
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(b)
	}
	address := c.base + path
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	r, err := http.NewRequestWithContext(ctx, method, address, body)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Accept-Language", string(c.lang))
	r.Header.Set("User-Agent", "teiten/"+app.Version)
	if in != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if c.token != "" {
		r.Header.Set("Authorization", "Bearer "+c.token)
	}
	if c.ifMatch != "" {
		r.Header.Set("If-Match", c.ifMatch)
	}
	return r, nil
}

func (c *client) problem(answer *http.Response, body []byte) error {
	var p httpapi.Problem
	if json.Unmarshal(body, &p) != nil || p.Detail == "" {
		return fault.New(fault.Unavailable, "cli.not_teiten", text.Say("%s answered %s, not as a Teiten server does", "%s の応答(%s)はTeitenサーバーのものではありません", c.base, answer.Status)).
			Fix(text.Say("check --server", "--server を確認してください"))
	}
	f := p.Fault()
	if answer.StatusCode == http.StatusUnauthorized && c.token == "" {
		f = f.Fix(text.Say("make a token in the browser (Settings, Tokens) and set TEITEN_TOKEN", "ブラウザーの「設定」→「トークン」で作成し、TEITEN_TOKEN に設定してください"))
	}
	return f
}

// everything reads all pages of a list.
func everything[T any](ctx context.Context, c *client, path string, query url.Values) ([]T, error) {
	q := url.Values{}
	for k, v := range query {
		q[k] = v
	}
	q.Set("limit", pageSize)
	all := []T{}
	for {
		var page httpapi.Page[T]
		if err := c.call(ctx, http.MethodGet, path, q, nil, &page); err != nil {
			return nil, err
		}
		all = append(all, page.Items...)
		if page.Next == "" {
			return all, nil
		}
		q.Set("cursor", page.Next)
	}
}
