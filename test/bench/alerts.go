package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/teiten/teiten/test/program"
)

const (
	alertConnections = 16
	alertBatch       = 50
	alertLoad        = 10 * time.Second
	alertRate        = 500
	manyAlerts       = 100_000
)

// alerts measures how alerts are taken in, beside Debian's Alertmanager in the
// same run.
func (b *bench) alerts(ctx context.Context) error {
	peer, peerURL, err := b.startAlertmanager(ctx)
	if err != nil {
		return err
	}
	for _, size := range []int{1, alertBatch} {
		s, send, err := b.startAlerts(ctx, fmt.Sprintf("alerts-%d", size))
		if err != nil {
			return errors.Join(err, stopProcess(peer))
		}
		ours, err1 := flood(ctx, size, send)
		theirs, err2 := flood(ctx, size, func(ctx context.Context, body []byte) error { return post(ctx, peerURL+"/api/v2/alerts", "", body) })
		if err := errors.Join(err1, err2, s.Kill()); err != nil {
			return errors.Join(err, stopProcess(peer))
		}
		what := "intake, one alert a request"
		goal := "≥ Alertmanager"
		if size > 1 {
			what, goal = fmt.Sprintf("intake, %d alerts a request", size), "≥ 1.5 × Alertmanager"
		}
		b.add(what, fmt.Sprintf("%.0f/s (Alertmanager, in memory: %.0f/s)", ours, theirs), goal)
	}
	if err := stopProcess(peer); err != nil {
		return err
	}
	b.how(fmt.Sprintf("alerts: requests of Alertmanager's API on %d connections for %s, every alert a new one; ours are on disk when they are answered, Alertmanager's are in memory.", alertConnections, alertLoad))
	if err := b.alertLatency(ctx); err != nil {
		return err
	}
	return b.openAlerts(ctx)
}

// sender posts alerts of Alertmanager's API.
type sender func(ctx context.Context, body []byte) error

// startAlerts starts the program with one integration, and returns how to send to
// it.
func (b *bench) startAlerts(ctx context.Context, name string, more ...string) (*program.Server, sender, error) {
	s := program.New(program.Options{Binary: b.teiten, Data: filepath.Join(b.dir, name), Env: []string{
		"TEITEN_METRICS_EMBEDDED_ENABLED=false", "TEITEN_NOTIFY_ALLOW_NETWORKS=127.0.0.0/8", "TEITEN_ALERT_BACKLOG=100000000"}})
	if err := s.Start(ctx); err != nil {
		return nil, nil, err
	}
	docs := "apiVersion: teiten.dev/v1\nkind: Integration\nmetadata: {name: bench}\nspec: {}\n" + strings.Join(more, "")
	if _, err := s.Apply(ctx, "bench", docs); err != nil {
		return nil, nil, errors.Join(err, s.Kill())
	}
	var issued struct{ Key string }
	if err := s.Post(ctx, "/api/v1/alerts/integrations/bench/keys", map[string]any{}, &issued); err != nil {
		return nil, nil, errors.Join(err, s.Kill())
	}
	return s, func(ctx context.Context, body []byte) error {
		return post(ctx, s.URL+"/api/v2/alerts", issued.Key, body)
	}, nil
}

func (b *bench) startAlertmanager(ctx context.Context) (*exec.Cmd, string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, "", err
	}
	address := l.Addr().String()
	if err := l.Close(); err != nil {
		return nil, "", err
	}
	file := filepath.Join(b.dir, "alertmanager.yml")
	if err := os.WriteFile(file, []byte("route: {receiver: none, group_by: ['...']}\nreceivers: [{name: none}]\n"), 0o600); err != nil {
		return nil, "", err
	}
	cmd := exec.CommandContext(ctx, "prometheus-alertmanager", "--config.file="+file, "--storage.path="+filepath.Join(b.dir, "alertmanager"),
		"--web.listen-address="+address, "--cluster.listen-address=", "--log.level=error")
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return nil, "", fmt.Errorf("start Alertmanager (make debian installs it): %w", err)
	}
	url := "http://" + address
	for range 200 {
		if r, err := http.Get(url + "/-/ready"); err == nil {
			_ = r.Body.Close()
			if r.StatusCode == http.StatusOK {
				return cmd, url, nil
			}
		}
		time.Sleep(50 * time.Millisecond)
	}
	return nil, "", errors.Join(errors.New("Alertmanager does not answer"), stopProcess(cmd)) //nolint:staticcheck // its name
}

func stopProcess(c *exec.Cmd) error {
	if err := c.Process.Kill(); err != nil {
		return err
	}
	_ = c.Wait() // it was killed
	return nil
}

var alertClient = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64, MaxConnsPerHost: 64}, Timeout: time.Minute}

func post(ctx context.Context, url, key string, body []byte) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	if key != "" {
		r.Header.Set("Authorization", "Bearer "+key)
	}
	resp, err := alertClient.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode/100 != 2 {
		err = fmt.Errorf("answered %s: %s", resp.Status, answer)
	}
	return err
}

var alertNumber atomic.Int64

// someAlerts is a body of new alerts.
func someAlerts(n int) []byte {
	var b bytes.Buffer
	b.WriteByte('[')
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		k := alertNumber.Add(1)
		fmt.Fprintf(&b, `{"labels":{"alertname":"HighLatency","instance":"10.0.%d.%d:9100","job":"api","severity":"critical","number":"%d"},"annotations":{"summary":"Latency of instance %d is high","description":"p99 is over 500 ms for 5 minutes"},"startsAt":%q,"endsAt":%q,"generatorURL":"http://prometheus.example.com/graph"}`,
			k/250%250, k%250, k, k, time.Now().UTC().Format(time.RFC3339Nano), time.Now().Add(6*time.Hour).UTC().Format(time.RFC3339Nano))
	}
	b.WriteByte(']')
	return b.Bytes()
}

// flood sends as fast as it can, and returns alerts a second.
func flood(ctx context.Context, size int, send sender) (rate float64, err error) {
	var sent atomic.Int64
	errs := make([]error, alertConnections)
	began := time.Now()
	var wg sync.WaitGroup
	for i := range alertConnections {
		wg.Go(func() {
			for time.Since(began) < alertLoad {
				if errs[i] = send(ctx, someAlerts(size)); errs[i] != nil {
					return
				}
				sent.Add(int64(size))
			}
		})
	}
	wg.Wait()
	return float64(sent.Load()) / time.Since(began).Seconds(), errors.Join(errs...)
}

// alertLatency sends at a steady rate and takes the time until a webhook hears of
// each alert.
func (b *bench) alertLatency(ctx context.Context) error {
	var mu sync.Mutex
	heard := map[string]time.Time{}
	hook := http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		at := time.Now()
		var m struct {
			Data struct {
				Details struct{ Labels map[string]string }
			}
		}
		body, _ := io.ReadAll(r.Body)
		if json.Unmarshal(body, &m) == nil {
			mu.Lock()
			heard[m.Data.Details.Labels["number"]] = at
			mu.Unlock()
		}
	}), ReadHeaderTimeout: time.Minute}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	go func() { _ = hook.Serve(l) }()
	defer hook.Close()
	s, send, err := b.startAlerts(ctx, "alerts-latency", "---\napiVersion: teiten.dev/v1\nkind: NotificationChannel\nmetadata: {name: hook}\nspec: {webhook: {url: 'http://"+l.Addr().String()+"/'}}\n")
	if err != nil {
		return err
	}
	sent, answered, err := steady(ctx, send)
	if err != nil {
		return errors.Join(err, s.Kill())
	}
	time.Sleep(2 * time.Second)
	if err := s.Kill(); err != nil {
		return err
	}
	mu.Lock()
	defer mu.Unlock()
	var took []time.Duration
	for n, at := range sent {
		if then, ok := heard[n]; ok {
			took = append(took, then.Sub(at))
		}
	}
	slices.Sort(took)
	slices.Sort(answered)
	if len(took) == 0 {
		b.add("POST to webhook", "nothing arrived", "≤ 50 ms")
		return nil
	}
	b.add(fmt.Sprintf("POST to answer at %d/s, p50 and p99", alertRate), ms(answered[len(answered)/2])+" "+ms(answered[len(answered)*99/100]), "")
	b.add(fmt.Sprintf("POST to webhook at %d/s, p50 and p99", alertRate), ms(took[len(took)/2])+" "+ms(took[len(took)*99/100])+fmt.Sprintf(" (%d of %d heard)", len(took), len(sent)), "p99 ≤ 50 ms")
	b.how(fmt.Sprintf("POST to webhook: one alert a request at %d/s for %s, each a group of its own; from sending to the first byte at a webhook channel.", alertRate, alertLoad))
	return nil
}

// steady sends at alertRate, each alert named differently, and returns when each
// was sent and how long each answer took.
func steady(ctx context.Context, send sender) (sent map[string]time.Time, answered []time.Duration, err error) {
	sent = map[string]time.Time{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	var errs []error
	t := time.NewTicker(time.Second / alertRate)
	defer t.Stop()
	for began := time.Now(); time.Since(began) < alertLoad; {
		<-t.C
		k := fmt.Sprint(alertNumber.Add(1))
		at := time.Now()
		body := fmt.Appendf(nil, `[{"labels":{"alertname":"Latency%s","number":"%s","severity":"critical"},"annotations":{"summary":"Latency is high"},"startsAt":%q,"endsAt":%q}]`,
			k, k, at.UTC().Format(time.RFC3339Nano), at.Add(time.Hour).UTC().Format(time.RFC3339Nano))
		sent[k] = at
		wg.Go(func() {
			err := send(ctx, body)
			mu.Lock()
			defer mu.Unlock()
			answered = append(answered, time.Since(at))
			if err != nil {
				errs = append(errs, err)
			}
		})
	}
	wg.Wait()
	return sent, answered, errors.Join(errs[:min(len(errs), 3)]...)
}

// openAlerts fills the book and looks at the program with it.
func (b *bench) openAlerts(ctx context.Context) error {
	s, send, err := b.startAlerts(ctx, "alerts-many")
	if err != nil {
		return err
	}
	began := time.Now()
	for range manyAlerts / 500 {
		if err := send(ctx, someAlerts(500)); err != nil {
			return errors.Join(err, s.Kill())
		}
	}
	var sum struct{ Open, Waiting int64 }
	for {
		if err := s.Get(ctx, "/api/v1/alerts/summary", &sum); err != nil {
			return errors.Join(err, s.Kill())
		}
		if sum.Waiting == 0 {
			break
		}
		time.Sleep(200 * time.Millisecond)
	}
	entered := time.Since(began)
	b.add(fmt.Sprintf("entering %d new alerts", manyAlerts), fmt.Sprintf("%.1f s (%.0f/s)", entered.Seconds(), manyAlerts/entered.Seconds()), "")
	if err := s.Stop(); err != nil {
		return err
	}
	began = time.Now()
	if err := s.Start(ctx); err != nil {
		return err
	}
	b.add(fmt.Sprintf("restart with %d open alerts", manyAlerts), ms(time.Since(began)), "≤ 2 s")
	time.Sleep(10 * time.Second)
	var took []time.Duration
	for range 300 {
		at := time.Now()
		if _, err := s.Text(ctx, "/api/v1/alerts?state=open"); err != nil {
			return errors.Join(err, s.Kill())
		}
		took = append(took, time.Since(at))
	}
	slices.Sort(took)
	all, own, err := memory(s.PID())
	if err != nil {
		return errors.Join(err, s.Kill())
	}
	b.add(fmt.Sprintf("memory with %d open alerts", manyAlerts), fmt.Sprintf("%s resident, %s of it its own (%d open)", megabytes(all), megabytes(own), sum.Open), "≤ 300 MB")
	b.add("first page of the list, p50 and p99", ms(took[len(took)/2])+" "+ms(took[len(took)*99/100]), "p99 ≤ 50 ms")
	b.how("open alerts: entered in requests of 500, the program started anew, and looked at after 10 s; the list asked for 300 times in a row.")
	return s.Kill()
}
