package embedded

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/alecthomas/units"
	"github.com/prometheus/prometheus/config"
	_ "github.com/prometheus/prometheus/discovery/file" // file_sd_configs
	_ "github.com/prometheus/prometheus/discovery/http" // http_sd_configs

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
)

// Limits of a scrape where its configuration sets none.
const bodyLimit = 64 << 20

// scrapeFile is a file of scrape configurations as it was last read.
type scrapeFile struct {
	path   string
	digest [sha256.Size]byte
	config *config.Config
}

// LoadScrapeConfig checks a file of scrape configurations and returns an Invalid
// fault, with the line where it is known, if it cannot be used.
//
// The file is a Prometheus configuration file, of which the sections global and
// scrape_configs are used:
//
//	global:
//	  scrape_interval: 15s          # 1m where absent, as in Prometheus
//	  external_labels: {}           # not attached to stored samples, as in Prometheus
//	scrape_configs:
//	  - job_name: checkout
//	    metrics_path: /metrics
//	    static_configs:
//	      - targets: [checkout.internal:8080]
//	        labels: {team: payments}
//	  - job_name: nodes
//	    file_sd_configs:
//	      - files: [targets/*.yaml]  # relative to this file; changes are picked up
//	    relabel_configs:
//	      - source_labels: [__address__]
//	        regex: '([^:]+).*'
//	        target_label: host
//	    metric_relabel_configs:
//	      - source_labels: [__name__]
//	        regex: 'go_gc_.*'
//	        action: drop
//
// Targets are found by static_configs, file_sd_configs and http_sd_configs.
// Everything else inside a job is as Prometheus documents it: basic_auth,
// authorization, tls_config, params, honor_labels, sample_limit, relabelling, ….
// A response may have 64 MiB unless body_size_limit says otherwise, and a scrape
// asks for the protobuf format first, because it tells when counters began.
// Sections that only Prometheus itself uses (alerting, rule_files, remote_write,
// remote_read, storage, tracing, otlp, runtime) are read, reported in the log and
// left alone, so that an existing prometheus.yml can be used as it is. The file
// is read again within seconds of a change; while it is wrong, the last good
// version keeps running and the source says so.
func LoadScrapeConfig(path string) error {
	_, err := readScrapeFile(path, slog.New(slog.DiscardHandler))
	return err
}

func readScrapeFile(path string, log *slog.Logger) (scrapeFile, error) {
	var body []byte
	if path != "" {
		var err error
		if body, err = os.ReadFile(path); err != nil {
			return scrapeFile{}, fault.New(fault.Invalid, "metrics.scrape_file", text.Say(
				"the scrape configuration cannot be read", "スクレイプ設定ファイルを読めません")).
				At(fault.Position{File: path}).
				Fix(text.Say("check metrics.embedded.scrapeConfigFile and the file's permissions",
					"metrics.embedded.scrapeConfigFile の指定とファイルの権限を確認してください")).Wrap(err)
		}
	}
	c, err := parseScrapeFile(path, body, log)
	if err != nil {
		return scrapeFile{}, err
	}
	return scrapeFile{path: path, digest: sha256.Sum256(body), config: c}, nil
}

func parseScrapeFile(path string, body []byte, log *slog.Logger) (c *config.Config, err error) {
	defer func() {
		// The parser of Prometheus is built for trusted files.
		if p := recover(); p != nil {
			c, err = nil, scrapeFault(path, fmt.Errorf("%v", p))
		}
	}()
	c, err = config.Load(string(body), log)
	if err != nil {
		return nil, scrapeFault(path, err)
	}
	dir, err := filepath.Abs(filepath.Dir(path))
	if err != nil {
		return nil, fmt.Errorf("folder of the scrape configuration: %w", err)
	}
	c.SetDirectory(dir)
	// Also reads and checks scrape_config_files.
	jobs, err := c.GetScrapeConfigs()
	if err != nil {
		return nil, scrapeFault(path, err)
	}
	for _, j := range jobs {
		tune(j)
	}
	if ignored := ignoredSections(c); len(ignored) > 0 {
		log.WarnContext(context.Background(), "sections of the scrape configuration are not used here",
			"file", path, "sections", strings.Join(ignored, ", "))
	}
	return c, nil
}

// tune sets what differs from Prometheus' defaults and was not set by the user.
func tune(j *config.ScrapeConfig) {
	if slices.Equal(j.ScrapeProtocols, config.DefaultScrapeProtocols) {
		j.ScrapeProtocols = config.DefaultProtoFirstScrapeProtocols
	}
	if j.BodySizeLimit == 0 {
		j.BodySizeLimit = units.Base2Bytes(bodyLimit)
	}
}

// ignoredSections names what is in the file and means nothing to the store.
func ignoredSections(c *config.Config) []string {
	var names []string
	add := func(present bool, name string) {
		if present {
			names = append(names, name)
		}
	}
	add(len(c.RuleFiles) > 0, "rule_files")
	add(len(c.AlertingConfig.AlertmanagerConfigs) > 0 || len(c.AlertingConfig.AlertRelabelConfigs) > 0, "alerting")
	add(len(c.RemoteWriteConfigs) > 0, "remote_write")
	add(len(c.RemoteReadConfigs) > 0, "remote_read")
	add(c.TracingConfig.Endpoint != "", "tracing")
	return names
}

var (
	yamlLine   = regexp.MustCompile(`line (\d+):?\s*`)
	unknownKey = regexp.MustCompile(`field (\S+) not found in type \S+`)
)

// scrapeFault turns an error of Prometheus' loader into a fault that says where.
func scrapeFault(path string, err error) *fault.Error {
	at := fault.Position{File: path}
	said := err.Error()
	if m := yamlLine.FindStringSubmatch(said); m != nil {
		at.Line, _ = strconv.Atoi(m[1])
	}
	en := strings.TrimSpace(yamlLine.ReplaceAllString(strings.TrimPrefix(strings.TrimPrefix(said, "yaml: "), "unmarshal errors:\n"), ""))
	ja := en
	if m := unknownKey.FindStringSubmatch(en); m != nil {
		en, ja = fmt.Sprintf("unknown key %q", m[1]), fmt.Sprintf("不明なキー %q があります", m[1])
	}
	return fault.New(fault.Invalid, "metrics.scrape_config", text.Both{
		EN: "scrape configuration: " + en, JA: "スクレイプ設定の誤り: " + ja,
	}).At(at).Fix(text.Say(
		"correct the file; its syntax is that of scrape_configs in Prometheus, with static_configs, file_sd_configs and http_sd_configs",
		"ファイルを直してください。書式は Prometheus の scrape_configs と同じで、static_configs、file_sd_configs、http_sd_configs が使えます")).
		Wrap(errors.Unwrap(err))
}
