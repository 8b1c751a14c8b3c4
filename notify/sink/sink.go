// Package sink is a receiver for every kind of channel: it takes webhooks, chat
// messages and mail on this machine, keeps them and writes them to a log.
//
// The demo shows with it what was delivered, and tests look into it. It listens
// on the loopback interface only and keeps nothing on disk.
package sink

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/http"
	"net/mail"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-smtp"
)

// Via is the way a message came.
type Via string

// The ways a message can come.
const (
	Webhook Via = "webhook"
	Slack   Via = "slack"
	Email   Via = "email"
)

// Message is one received message. Raw is what came, byte for byte: the body of
// the request or the whole mail. Title and Text are read from it for people.
type Message struct {
	At     time.Time
	Via    Via
	Key    string // Idempotency-Key, or the mail's Message-ID
	From   string // envelope sender of a mail
	To     string // envelope recipient of a mail, or the path of a request
	Title  string
	Text   string
	Header http.Header
	Raw    []byte
}

const (
	maxBody     = 1 << 20
	maxMessages = 10_000
	readTimeout = 10 * time.Second
)

// Sink is a running receiver.
type Sink struct {
	log  *slog.Logger
	http net.Listener
	smtp net.Listener
	web  *http.Server
	post *smtp.Server

	mu       sync.Mutex
	messages []Message
	news     chan struct{} // closed and replaced when a message comes
}

// Start runs a receiver on free ports until ctx ends or Close.
func Start(ctx context.Context, log *slog.Logger) (*Sink, error) {
	return StartAt(ctx, log, "127.0.0.1:0", "127.0.0.1:0")
}

// StartAt is Start on the given addresses.
func StartAt(ctx context.Context, log *slog.Logger, httpAddress, smtpAddress string) (*Sink, error) {
	s := &Sink{log: log, news: make(chan struct{})}
	var listen net.ListenConfig
	var err error
	if s.http, err = listen.Listen(ctx, "tcp", httpAddress); err != nil {
		return nil, fmt.Errorf("start sink: %w", err)
	}
	if s.smtp, err = listen.Listen(ctx, "tcp", smtpAddress); err != nil {
		return nil, errors.Join(fmt.Errorf("start sink: %w", err), s.http.Close())
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /slack", s.receive(Slack))
	mux.HandleFunc("POST /slack/", s.receive(Slack))
	mux.HandleFunc("POST /", s.receive(Webhook))
	s.web = &http.Server{Handler: mux, ReadTimeout: readTimeout, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug)}
	s.post = smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &session{sink: s}, nil }))
	s.post.Domain, s.post.MaxMessageBytes = "localhost", maxBody
	s.post.ReadTimeout, s.post.WriteTimeout = readTimeout, readTimeout
	s.post.ErrorLog = slog.NewLogLogger(log.Handler(), slog.LevelDebug)
	go s.serve(ctx, func() error { return s.web.Serve(s.http) })
	go s.serve(ctx, func() error { return s.post.Serve(s.smtp) })
	context.AfterFunc(ctx, func() { _ = s.Close() })
	return s, nil
}

func (s *Sink) serve(ctx context.Context, run func() error) {
	err := run()
	if err != nil && ctx.Err() == nil && !errors.Is(err, http.ErrServerClosed) && !errors.Is(err, smtp.ErrServerClosed) && !errors.Is(err, net.ErrClosed) {
		s.log.ErrorContext(ctx, "sink stopped", "error", err)
	}
}

// HTTPURL is the address for webhooks; "/slack" below it takes chat messages.
func (s *Sink) HTTPURL() string { return "http://" + s.http.Addr().String() }

// SMTPAddr is the host and port of the mail server.
func (s *Sink) SMTPAddr() string { return s.smtp.Addr().String() }

// Messages returns what came so far, oldest first.
func (s *Sink) Messages() []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.messages)
}

// Wait returns once the messages so far satisfy done, or ctx ends.
func (s *Sink) Wait(ctx context.Context, done func([]Message) bool) error {
	for {
		s.mu.Lock()
		news, now := s.news, slices.Clone(s.messages)
		s.mu.Unlock()
		if done(now) {
			return nil
		}
		select {
		case <-news:
		case <-ctx.Done():
			return fmt.Errorf("wait for messages: %w", ctx.Err())
		}
	}
}

// Close stops the receiver.
func (s *Sink) Close() error {
	return errors.Join(s.web.Close(), ignoreClosed(s.post.Close()))
}

func ignoreClosed(err error) error {
	if errors.Is(err, smtp.ErrServerClosed) || errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

func (s *Sink) keep(ctx context.Context, m Message) {
	m.At = time.Now().UTC()
	s.mu.Lock()
	if len(s.messages) == maxMessages {
		s.messages = slices.Delete(s.messages, 0, 1)
	}
	s.messages = append(s.messages, m)
	close(s.news)
	s.news = make(chan struct{})
	s.mu.Unlock()
	s.log.InfoContext(ctx, "message received", "via", string(m.Via), "to", m.To, "title", m.Title)
}

func (s *Sink) receive(via Via) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
		if err != nil {
			http.Error(w, "the body cannot be read", http.StatusBadRequest)
			return
		}
		m := Message{Via: via, Key: r.Header.Get("Idempotency-Key"), To: r.URL.Path, Header: r.Header.Clone(), Raw: body}
		if !m.read() {
			http.Error(w, "the body is not JSON of this kind", http.StatusBadRequest)
			return
		}
		s.keep(r.Context(), m)
		_, _ = io.WriteString(w, "ok")
	}
}

// read takes title and text out of a request's body.
func (m *Message) read() bool {
	if m.Via == Slack {
		var p struct {
			Text string `json:"text"`
		}
		if json.Unmarshal(m.Raw, &p) != nil || p.Text == "" {
			return false
		}
		m.Title, _, _ = strings.Cut(p.Text, "\n")
		m.Text = p.Text
		return true
	}
	var e struct {
		SpecVersion string `json:"specversion"`
		Type        string `json:"type"`
		Data        struct {
			Title struct{ EN string } `json:"title"`
			Body  struct{ EN string } `json:"body"`
		} `json:"data"`
	}
	if json.Unmarshal(m.Raw, &e) != nil || e.SpecVersion == "" {
		return false
	}
	m.Title, m.Text = e.Data.Title.EN, e.Data.Body.EN
	if m.Title == "" {
		m.Title = e.Type
	}
	return true
}

// session is one SMTP conversation.
type session struct {
	sink *Sink
	from string
	to   []string
}

func (s *session) Reset()        { s.from, s.to = "", nil }
func (s *session) Logout() error { return nil }

func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	s.from = from
	return nil
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.to = append(s.to, to)
	return nil
}

func (s *session) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	m := Message{Via: Email, From: s.from, To: strings.Join(s.to, ", "), Raw: raw}
	if parsed, err := mail.ReadMessage(bytes.NewReader(raw)); err == nil {
		m.Header = http.Header(parsed.Header)
		m.Key = strings.Trim(parsed.Header.Get("Message-Id"), "<>")
		m.Title = decoded(parsed.Header.Get("Subject"))
		m.Text = plainText(parsed)
	}
	s.sink.keep(context.Background(), m)
	return nil
}

func decoded(header string) string {
	if s, err := new(mime.WordDecoder).DecodeHeader(header); err == nil {
		return s
	}
	return header
}

// plainText is the text part of a mail, and "" when there is none.
func plainText(m *mail.Message) string {
	media, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || !strings.HasPrefix(media, "multipart/") {
		return transfer(m.Body, m.Header.Get("Content-Transfer-Encoding"))
	}
	parts := multipart.NewReader(m.Body, params["boundary"])
	for {
		p, err := parts.NextPart() // undoes quoted-printable itself
		if err != nil {
			return ""
		}
		if strings.HasPrefix(p.Header.Get("Content-Type"), "text/plain") {
			return transfer(p, p.Header.Get("Content-Transfer-Encoding"))
		}
	}
}

func transfer(r io.Reader, encoding string) string {
	if strings.EqualFold(encoding, "quoted-printable") {
		r = quotedprintable.NewReader(r)
	}
	b, err := io.ReadAll(io.LimitReader(r, maxBody))
	if err != nil {
		return ""
	}
	return strings.ReplaceAll(string(b), "\r\n", "\n")
}
