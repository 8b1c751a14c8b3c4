package program

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Where Debian's packages put their programs.
const (
	PrometheusPath   = "/usr/bin/prometheus"
	NodeExporterPath = "/usr/bin/prometheus-node-exporter"
)

// Daemon is another program that a test starts, such as Prometheus.
type Daemon struct {
	URL string
	cmd *exec.Cmd
	log *os.File
}

// FreeAddress returns an address on the loopback interface at which nobody
// listens now.
func FreeAddress(ctx context.Context) (string, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// StartDaemon starts a program that listens on address and waits until path
// answers 200.
func StartDaemon(ctx context.Context, dir, address, path, bin string, args ...string) (*Daemon, error) {
	log, err := os.Create(filepath.Join(dir, filepath.Base(bin)+".log"))
	if err != nil {
		return nil, err
	}
	d := &Daemon{URL: "http://" + address, log: log, cmd: exec.CommandContext(context.WithoutCancel(ctx), bin, args...)}
	d.cmd.Dir, d.cmd.Stdout, d.cmd.Stderr = dir, log, log
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := d.cmd.Start(); err != nil {
		return nil, errors.Join(err, log.Close())
	}
	deadline := time.Now().Add(startTimeout)
	for {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, d.URL+path, nil)
		if err != nil {
			return nil, errors.Join(err, d.Stop())
		}
		resp, err := http.DefaultClient.Do(r)
		if err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return d, nil
			}
		}
		if time.Now().After(deadline) {
			said, _ := os.ReadFile(log.Name())
			return nil, errors.Join(fmt.Errorf("%s does not answer: %s", bin, said), d.Stop())
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// PID is the process.
func (d *Daemon) PID() int { return d.cmd.Process.Pid }

// Stop ends the process at once.
func (d *Daemon) Stop() error {
	if d.cmd.ProcessState != nil {
		return nil
	}
	err := d.cmd.Process.Kill()
	_ = d.cmd.Wait() // it was killed
	return errors.Join(err, d.log.Close())
}

// StartPrometheus starts Prometheus with scrape_configs, in dir.
func StartPrometheus(ctx context.Context, dir, scrapeConfigs string, interval time.Duration) (*Daemon, error) {
	address, err := FreeAddress(ctx)
	if err != nil {
		return nil, err
	}
	config := fmt.Sprintf("global:\n  scrape_interval: %s\n  scrape_timeout: %s\nscrape_configs:\n%s", interval, interval,
		strings.ReplaceAll(scrapeConfigs, "SELF", address))
	file := filepath.Join(dir, "prometheus.yml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		return nil, err
	}
	return StartDaemon(ctx, dir, address, "/-/ready", PrometheusPath,
		"--config.file="+file, "--storage.tsdb.path="+filepath.Join(dir, "tsdb"), "--web.listen-address="+address, "--log.level=warn")
}

// StartNodeExporter starts node_exporter at a fixed address, so that it can come
// back at the same one.
func StartNodeExporter(ctx context.Context, dir, address string) (*Daemon, error) {
	return StartDaemon(ctx, dir, address, "/metrics", NodeExporterPath,
		"--web.listen-address="+address, "--collector.disable-defaults", "--collector.loadavg", "--collector.meminfo", "--collector.time")
}
