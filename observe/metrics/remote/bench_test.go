//go:build linux

package remote

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/teiten/teiten/observe/metrics"
)

// BenchmarkFollow reads, minute by minute, what a thousand objectives of ten
// counters each have newly stored in a real Prometheus, scraped every 30 s, and
// reports what both together compute for each objective and scrape.
func BenchmarkFollow(b *testing.B) {
	const objectives, each, minutes = 1000, 10, 60
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		b.Skip("no Prometheus is installed (Debian: apt install prometheus)")
	}
	dir := b.TempDir()
	began := time.Now().Add(-4*time.Hour).Unix() / 60 * 60
	history := filepath.Join(dir, "history")
	f, err := os.Create(history)
	if err != nil {
		b.Fatal(err)
	}
	w := bufio.NewWriter(f)
	fmt.Fprintln(w, "# TYPE events counter")
	for i := range objectives {
		for k := range each {
			for at := int64(7); at < minutes*60; at += 30 {
				fmt.Fprintf(w, "events_total{job=\"shop\",slo=\"%d\",pod=\"%d\",code=\"%d\"} %d %d\n", i, k/2, 200+300*(k%2), at*int64(i+1), began+at)
			}
		}
	}
	fmt.Fprintln(w, "# EOF")
	if err := w.Flush(); err != nil {
		b.Fatal(err)
	}
	if out, err := exec.CommandContext(b.Context(), promtool, "tsdb", "create-blocks-from", "openmetrics", history, filepath.Join(dir, "data")).CombinedOutput(); err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	pid, c := prometheus(b, dir)
	now := time.Unix(began+20*60, 0)
	c.now = func() time.Time { return now }
	var all []metrics.Selection
	for i := range objectives {
		all = append(all, metrics.Selection{Expr: fmt.Sprintf(`sum(events_total{slo="%d"})`, i)},
			metrics.Selection{Expr: fmt.Sprintf(`sum(events_total{slo="%d",code=~"5.."})`, i)})
	}
	c.Watch(all)
	round := func() {
		now = now.Add(time.Minute)
		if now.Unix() > began+minutes*60 {
			b.Fatal("the samples are used up: at most 30 rounds")
		}
		to := metrics.MinuteOf(now.Add(-30 * time.Second).UnixMilli())
		if _, err := c.Counts(b.Context(), all, to-1, to); err != nil {
			b.Fatal(err)
		}
	}
	for range 3 {
		round()
	}
	ours, theirs, rounds := ownCPU(b), cpuOf(b, pid), 0
	for b.Loop() {
		round()
		rounds++
	}
	per := func(d time.Duration) float64 { return float64(d.Microseconds()) / float64(2*rounds*objectives) }
	b.ReportMetric(per(ownCPU(b)-ours), "own-cpu-µs/objective-scrape")
	b.ReportMetric(per(cpuOf(b, pid)-theirs), "prometheus-cpu-µs/objective-scrape")
}

// prometheus starts a real one over a folder of blocks.
func prometheus(b *testing.B, dir string) (pid int, c *Client) {
	b.Helper()
	config := filepath.Join(dir, "prometheus.yml")
	if err := os.WriteFile(config, nil, 0o600); err != nil {
		b.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	address := l.Addr().String()
	if err := l.Close(); err != nil {
		b.Fatal(err)
	}
	cmd := exec.Command("prometheus", "--config.file="+config, "--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+address, "--log.level=error")
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	if c, err = New(metrics.Connection{URL: "http://" + address}); err != nil {
		b.Fatal(err)
	}
	for began := time.Now(); c.Check(b.Context()) != nil; {
		if time.Since(began) > 30*time.Second {
			b.Fatal("Prometheus does not answer")
		}
	}
	return cmd.Process.Pid, c
}

func ownCPU(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// cpuOf is what a process has computed, in ticks of 10 ms.
func cpuOf(b *testing.B, pid int) time.Duration {
	stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		b.Fatal(err)
	}
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	var ticks int64
	for _, f := range fields[11:13] {
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			b.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}
