package alert

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // version 1 of the signature, which topics use unless told otherwise
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/httpapi"
	"github.com/teiten/teiten/kit/text"
)

// snsMessage is what Amazon SNS posts.
type snsMessage struct {
	Type, MessageID, TopicArn, Subject, Message, Timestamp, Token, SubscribeURL string
	SignatureVersion, Signature, SigningCertURL                                 string
}

// UnmarshalJSON reads the names as SNS writes them, in which only some letters
// are capital.
func (m *snsMessage) UnmarshalJSON(data []byte) error {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(data, &fields); err != nil {
		return err
	}
	for name, into := range map[string]*string{
		"Type": &m.Type, "MessageId": &m.MessageID, "TopicArn": &m.TopicArn, "Subject": &m.Subject, "Message": &m.Message, "Timestamp": &m.Timestamp, "Token": &m.Token,
		"SubscribeURL": &m.SubscribeURL, "SignatureVersion": &m.SignatureVersion, "Signature": &m.Signature, "SigningCertURL": &m.SigningCertURL,
	} {
		*into = quoted(fields[name])
	}
	return nil
}

// signed is the text that SNS signs: fields in the order of their names, each
// with its value, those that are not there left out.
func (m *snsMessage) signed() string {
	var b strings.Builder
	add := func(name, value string) {
		if value != "" {
			b.WriteString(name + "\n" + value + "\n")
		}
	}
	add("Message", m.Message)
	add("MessageId", m.MessageID)
	if m.Type == "Notification" {
		add("Subject", m.Subject)
	} else {
		add("SubscribeURL", m.SubscribeURL)
	}
	add("Timestamp", m.Timestamp)
	if m.Type != "Notification" {
		add("Token", m.Token)
	}
	add("TopicArn", m.TopicArn)
	add("Type", m.Type)
	return b.String()
}

// snsHost is where certificates and confirmations of SNS may lie.
var snsHost = regexp.MustCompile(`^sns\.[a-z0-9-]{3,40}\.amazonaws\.com(\.cn)?$`)

// snsAddress reports whether a URL leads to SNS itself and nowhere else.
func snsAddress(raw string) bool {
	u, err := url.Parse(raw)
	return err == nil && u.Scheme == "https" && u.User == nil && snsHost.MatchString(u.Host)
}

// maxReplay is how old a signed message may be: SNS itself tries for an hour, and
// policies can make that longer.
const maxReplay = 24 * time.Hour

// snsKeys are the keys of SNS by the address of their certificate.
type snsKeys struct {
	mu sync.Mutex
	at map[string]*rsa.PublicKey
}

// checkSNS refuses a message of SNS that SNS did not sign or that is of a topic
// which the integration does not take, and confirms a subscription.
func (s *Service) checkSNS(ctx context.Context, integration string, data []byte) error {
	known, err := s.allIntegrations(ctx)
	if err != nil {
		return err
	}
	var topics []string
	if n := known[integration]; n != nil {
		topics = n.spec.SNSTopics
	}
	var m snsMessage
	if json.Unmarshal(data, &m) != nil || !snsAddress(m.SigningCertURL) {
		return wrongKey()
	}
	if at, err := time.Parse(time.RFC3339, m.Timestamp); err != nil || s.Now().Sub(at) > maxReplay {
		return wrongKey()
	}
	if err := s.verifySNS(ctx, &m); err != nil {
		return err
	}
	if len(topics) > 0 && !matchesTopic(topics, m.TopicArn) {
		return httpapi.Status(http.StatusForbidden, fault.New(fault.Denied, "alert.sns_topic",
			text.Say("the integration takes nothing of the topic %s", "この連携はトピック %s を受け取りません", m.TopicArn)).
			Fix(text.Say("add it to spec.snsTopics", "spec.snsTopics に追加してください")))
	}
	if m.Type == "SubscriptionConfirmation" && len(topics) > 0 {
		return s.confirmSNS(ctx, &m)
	}
	return nil
}

func matchesTopic(topics []string, arn string) bool {
	for _, t := range topics {
		if prefix, ok := strings.CutSuffix(t, "*"); ok && strings.HasPrefix(arn, prefix) || t == arn {
			return true
		}
	}
	return false
}

func (s *Service) verifySNS(ctx context.Context, m *snsMessage) error {
	key, err := s.snsKey(ctx, m.SigningCertURL)
	if err != nil {
		return err
	}
	signature, err := base64.StdEncoding.DecodeString(m.Signature)
	if err != nil {
		return wrongKey()
	}
	switch m.SignatureVersion {
	case "1":
		sum := sha1.Sum([]byte(m.signed())) //nolint:gosec // as SNS signs
		err = rsa.VerifyPKCS1v15(key, crypto.SHA1, sum[:], signature)
	case "2":
		sum := sha256.Sum256([]byte(m.signed()))
		err = rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], signature)
	default:
		err = errors.New("unknown version")
	}
	if err != nil {
		return wrongKey()
	}
	return nil
}

// snsKey fetches a certificate once. That it came over TLS from SNS itself is
// what vouches for it.
func (s *Service) snsKey(ctx context.Context, at string) (*rsa.PublicKey, error) {
	s.sns.mu.Lock()
	key := s.sns.at[at]
	s.sns.mu.Unlock()
	if key != nil {
		return key, nil
	}
	data, err := s.Fetch(ctx, at)
	if err != nil {
		return nil, fault.New(fault.Unavailable, "alert.sns_certificate",
			text.Say("the certificate of Amazon SNS cannot be fetched", "Amazon SNSの証明書を取得できません")).After(backlogRetry).Wrap(err)
	}
	block, _ := pem.Decode(data)
	if block == nil {
		return nil, wrongKey()
	}
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil || s.Now().After(certificate.NotAfter) {
		return nil, wrongKey()
	}
	key, ok := certificate.PublicKey.(*rsa.PublicKey)
	if !ok {
		return nil, wrongKey()
	}
	s.sns.mu.Lock()
	defer s.sns.mu.Unlock()
	if s.sns.at == nil || len(s.sns.at) > 100 {
		s.sns.at = map[string]*rsa.PublicKey{}
	}
	s.sns.at[at] = key
	return key, nil
}

// confirmSNS visits the address by which a subscription is confirmed.
func (s *Service) confirmSNS(ctx context.Context, m *snsMessage) error {
	if !snsAddress(m.SubscribeURL) {
		return wrongKey()
	}
	if _, err := s.Fetch(ctx, m.SubscribeURL); err != nil {
		return fault.New(fault.Unavailable, "alert.sns_confirm",
			text.Say("the subscription cannot be confirmed now", "いま購読を確認できません")).After(backlogRetry).Wrap(err)
	}
	s.Log.InfoContext(ctx, "subscription to a topic confirmed", "topic", m.TopicArn)
	return nil
}

var fetcher = &http.Client{Timeout: 10 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

// fetch reads a small answer.
func fetch(ctx context.Context, at string) ([]byte, error) {
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, at, nil)
	if err != nil {
		return nil, err
	}
	r, err := fetcher.Do(q)
	if err != nil {
		return nil, err
	}
	defer r.Body.Close()
	if r.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("answered %s", r.Status)
	}
	const most = 64 << 10
	return io.ReadAll(io.LimitReader(r.Body, most))
}
