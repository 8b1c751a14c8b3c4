package embedded

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	promconfig "github.com/prometheus/common/config"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/discovery"
	"github.com/prometheus/prometheus/discovery/targetgroup"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/scrape"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/observe/metrics"
)

// Target is something to scrape that the program names itself, besides what the
// scrape file holds.
type Target struct {
	Job      string            // its samples' label job; one job holds one target
	URL      string            // where its metrics are, such as http://127.0.0.1:9469/metrics
	Labels   map[string]string // attached to its samples
	Interval time.Duration     // DefaultInterval where zero
	Bearer   string            // sent as a bearer token where not empty
}

// TargetState is how a target did at its last scrape.
type TargetState = metrics.TargetState

const (
	reloadEvery    = 5 * time.Second // looks at the scrape file
	discoveryDelay = time.Second     // gathers changes of targets
)

// openScraper makes the managers of discovery and scraping; Run starts them.
func (s *Store) openScraper() error {
	ctx, stop := context.WithCancel(context.Background())
	sd, err := discovery.CreateAndRegisterSDMetrics(s.o.Registerer)
	if err != nil {
		stop()
		return fmt.Errorf("register discovery: %w", err)
	}
	s.stop = stop
	s.discovery = discovery.NewManager(ctx, s.log, s.o.Registerer, sd, discovery.Name("scrape"), discovery.Updatert(discoveryDelay))
	if s.discovery == nil {
		stop()
		return errors.New("start discovery: its metrics are registered already")
	}
	s.scraper, err = scrape.NewManager(&scrape.Options{
		DiscoveryReloadInterval:  model.Duration(discoveryDelay),
		DiscoveryReloadOnStartup: true,
		ParseST:                  true,
	}, s.log, nil, nil, s, s.o.Registerer)
	if err != nil {
		stop()
		return fmt.Errorf("start the scraper: %w", err)
	}
	return s.apply()
}

// Run scrapes until ctx ends. The scrape file is read again when it changes.
func (s *Store) Run(ctx context.Context) error {
	done := make(chan error, 2)
	go func() { done <- s.discovery.Run() }()
	go func() { done <- s.scraper.Run(s.discovery.SyncCh()) }()
	tick := time.NewTicker(reloadEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-done:
			if ctx.Err() != nil || errors.Is(err, context.Canceled) || err == nil {
				return nil
			}
			return fmt.Errorf("scrape: %w", err)
		case <-tick.C:
			if err := s.Reload(ctx); err != nil {
				s.log.DebugContext(ctx, "scrape configuration still unusable", "error", err)
			}
			s.disk.full() // looks even where nothing is scraped
		}
	}
}

// Reload reads the scrape file again if it has changed. While it cannot be used,
// the last good version stays in force, and Check says what is wrong.
func (s *Store) Reload(ctx context.Context) error {
	if s.o.ScrapeConfigFile == "" {
		return nil
	}
	s.applying.Lock()
	defer s.applying.Unlock()
	file, err := readScrapeFile(s.o.ScrapeConfigFile, s.log)
	if err != nil {
		return s.rejectFile(ctx, err)
	}
	if file.digest == s.file.digest && s.configFault.Load() == nil {
		return nil
	}
	before := s.file
	s.file = file
	if err := s.apply(); err != nil {
		s.file = before
		return errors.Join(s.rejectFile(ctx, err), s.apply())
	}
	s.configFault.Store(nil)
	s.log.InfoContext(ctx, "scrape configuration applied", "file", file.path, "jobs", len(file.config.ScrapeConfigs))
	return nil
}

// rejectFile remembers what is wrong with the file and logs it once.
func (s *Store) rejectFile(ctx context.Context, err error) error {
	f, ok := fault.As(err)
	if !ok {
		f = scrapeFault(s.o.ScrapeConfigFile, err)
	}
	if was := s.configFault.Swap(f); was == nil || was.Error() != f.Error() {
		s.log.ErrorContext(ctx, "scrape configuration refused; the last good one stays in force", "error", f)
	}
	return f
}

// SetTargets replaces the targets that the program named.
func (s *Store) SetTargets(targets []Target) error {
	s.applying.Lock()
	defer s.applying.Unlock()
	before := s.targets
	s.targets = slices.Clone(targets)
	if err := s.apply(); err != nil {
		s.targets = before
		return errors.Join(err, s.apply())
	}
	return nil
}

// apply hands file and targets to the managers.
func (s *Store) apply() error {
	c, err := s.merged()
	if err != nil {
		return err
	}
	if err := s.scraper.ApplyConfig(c); err != nil {
		return fmt.Errorf("apply the scrape configuration: %w", err)
	}
	jobs, err := c.GetScrapeConfigs()
	if err != nil {
		return scrapeFault(s.file.path, err)
	}
	found := make(map[string]discovery.Configs, len(jobs))
	for _, j := range jobs {
		found[j.JobName] = j.ServiceDiscoveryConfigs
	}
	if err := s.discovery.ApplyConfig(found); err != nil {
		return fmt.Errorf("apply the discovery of targets: %w", err)
	}
	return nil
}

// merged is the file's configuration with the program's targets as further jobs.
func (s *Store) merged() (*config.Config, error) {
	c := *s.file.config
	c.ScrapeConfigs = slices.Clone(c.ScrapeConfigs)
	taken := map[string]bool{}
	for _, j := range c.ScrapeConfigs {
		taken[j.JobName] = true
	}
	for _, t := range s.targets {
		if taken[t.Job] {
			return nil, fault.New(fault.Invalid, "metrics.job_twice", text.Say(
				"the job name %q is used twice", "ジョブ名 %q が重複しています", t.Job)).
				At(fault.Position{File: s.file.path}).
				Fix(text.Say("choose another job_name in the scrape configuration", "スクレイプ設定で別の job_name を使ってください"))
		}
		taken[t.Job] = true
		j, err := t.scrapeConfig(c.GlobalConfig)
		if err != nil {
			return nil, err
		}
		c.ScrapeConfigs = append(c.ScrapeConfigs, j)
	}
	return &c, nil
}

// scrapeConfig is the target as a job in Prometheus' terms.
func (t Target) scrapeConfig(global config.GlobalConfig) (*config.ScrapeConfig, error) {
	u, err := url.Parse(t.URL)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") || t.Job == "" {
		return nil, fault.New(fault.Invalid, "metrics.target", text.Say(
			"the target %q of job %q is not an HTTP address", "ジョブ %[2]q のターゲット %[1]q はHTTPのアドレスではありません", t.URL, t.Job))
	}
	setDefault(&t.Interval, DefaultInterval)
	j := config.DefaultScrapeConfig
	j.JobName, j.Scheme, j.Params = t.Job, u.Scheme, u.Query()
	if u.Path != "" {
		j.MetricsPath = u.Path
	}
	j.ScrapeInterval = model.Duration(t.Interval)
	if t.Bearer != "" {
		j.HTTPClientConfig.Authorization = bearer(t.Bearer)
	}
	group := &targetgroup.Group{
		Targets: []model.LabelSet{{model.AddressLabel: model.LabelValue(u.Host)}},
		Labels:  model.LabelSet{},
		Source:  t.Job,
	}
	for n, v := range t.Labels {
		group.Labels[model.LabelName(n)] = model.LabelValue(v)
	}
	j.ServiceDiscoveryConfigs = discovery.Configs{discovery.StaticConfig{group}}
	if err := j.Validate(global); err != nil {
		return nil, fmt.Errorf("target %s: %w", t.Job, err)
	}
	tune(&j)
	return &j, nil
}

// Targets reports how each target did, by job and address.
func (s *Store) Targets() []TargetState {
	var out []TargetState
	for job, active := range s.scraper.TargetsActive() {
		for _, t := range active {
			state := TargetState{
				Job: job, URL: t.URL().Redacted(), Up: t.Health() == scrape.HealthGood,
				Labels: t.Labels(labels.NewBuilder(labels.EmptyLabels())).Map(),
				LastAt: t.LastScrape().UTC(), Took: t.LastScrapeDuration(),
			}
			if err := t.LastError(); err != nil {
				state.LastError = err.Error()
			}
			out = append(out, state)
		}
	}
	slices.SortFunc(out, func(a, b TargetState) int {
		return strings.Compare(a.Job+"\x00"+a.URL, b.Job+"\x00"+b.URL)
	})
	return out
}

// Jobs names the jobs that are scraped now, sorted.
func (s *Store) Jobs() []string { return slices.Sorted(maps.Keys(s.scraper.TargetsActive())) }

// bearer is the header that carries a token.
func bearer(token string) *promconfig.Authorization {
	return &promconfig.Authorization{Type: "Bearer", Credentials: promconfig.Secret(token)}
}
