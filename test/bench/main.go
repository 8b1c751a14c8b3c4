// Command bench measures the built program and prints a table:
//
//	go run ./test/bench -teiten bin/teiten
//
// It starts the program as people do and looks at it from outside: clocks,
// /proc, its own /metrics, and a browser. Nothing is mocked; Prometheus and
// Chromium are Debian's. Figures depend on the machine, which is named above
// the table; how each one is taken is printed under it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// figure is one line of the table.
type figure struct {
	what, value, goal string
}

// bench is one run.
type bench struct {
	teiten string // the program
	dir    string // for everything that is written
	root   string // of the repository
	slos   int
	sizes  []int         // how many objectives, in the part scale
	pasts  int           // how many objectives have a past of thirty days
	peers  int           // objectives for which Prometheus evaluates rules
	watch  time.Duration // how long something that goes on is looked at

	figures []figure
	methods []string
}

func (b *bench) add(what, value, goal string) {
	fmt.Fprintf(os.Stderr, "  %s: %s\n", what, value)
	b.figures = append(b.figures, figure{what, value, goal})
}

// how says how the figures of a part are taken.
func (b *bench) how(text string) { b.methods = append(b.methods, text) }

func main() {
	b := &bench{}
	all := flag.Bool("all", false, "measure the example, a list in a browser and a cold build as well")
	only := flag.String("only", "", "measure only these parts, separated by commas")
	flag.StringVar(&b.teiten, "teiten", "bin/teiten", "the built program")
	flag.IntVar(&b.slos, "slos", 1000, "how many objectives")
	flag.IntVar(&b.peers, "peers", 20, "for how many objectives Prometheus evaluates rules, to compare")
	flag.IntVar(&b.pasts, "pasts", 40, "how many objectives have thirty days of ten series")
	full := flag.Bool("full", false, "run 100,000 objectives as well, which takes some 4 GB and 15 minutes")
	sizes := flag.String("sizes", "10000", "how many objectives the part scale runs, separated by commas")
	flag.DurationVar(&b.watch, "watch", time.Minute, "how long to look at what goes on; whole minutes")
	flag.Parse()
	if *full {
		*sizes += ",100000"
	}
	for n := range strings.SplitSeq(*sizes, ",") {
		size, err := strconv.Atoi(n)
		if err != nil {
			fmt.Fprintln(os.Stderr, "bench: -sizes:", err)
			os.Exit(2)
		}
		b.sizes = append(b.sizes, size)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := b.run(ctx, *all, *only)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func (b *bench) run(ctx context.Context, all bool, only string) (err error) {
	if b.teiten, err = filepath.Abs(b.teiten); err != nil {
		return err
	}
	if b.root, err = os.Getwd(); err != nil {
		return err
	}
	if b.dir, err = os.MkdirTemp("", "teiten-bench"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(b.dir)) }()
	parts := []struct {
		name  string
		usual bool // part of a run that names none
		do    func(context.Context) error
	}{
		{"size", true, b.size}, {"start", true, b.startUp}, {"sliding", true, b.sliding},
		{"peer", true, b.peer}, {"past", true, b.past}, {"scale", true, b.scale},
		{"demo", false, b.demo}, {"embedded", false, b.embedded}, {"remote", false, b.remote}, {"cold", false, b.coldBuild}, {"alerts", false, b.alerts},
	}
	for _, p := range parts {
		if only == "" && !p.usual && !all || only != "" && !slices.Contains(strings.Split(only, ","), p.name) {
			continue
		}
		fmt.Fprintf(os.Stderr, "%s …\n", p.name)
		if err := p.do(ctx); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
	}
	b.print(ctx, os.Stdout)
	return nil
}

func (b *bench) print(ctx context.Context, out io.Writer) {
	fmt.Fprintf(out, "\n%s, %s\n\n", machine(), b.version(ctx))
	w := tabwriter.NewWriter(out, 0, 4, 3, ' ', 0)
	fmt.Fprintln(w, "FIGURE\tMEASURED\tGOAL")
	for _, f := range b.figures {
		fmt.Fprintf(w, "%s\t%s\t%s\n", f.what, f.value, f.goal)
	}
	_ = w.Flush() // the error would come again with the next write
	fmt.Fprintln(out, "\nMethod")
	for _, m := range b.methods {
		fmt.Fprintln(out, "- "+m)
	}
}

// machine names what the figures were taken on.
func machine() string {
	model := runtime.GOARCH
	if info, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(info)) {
			if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
				model = strings.TrimSpace(value)
				break
			}
		}
	}
	load := ""
	if avg, err := os.ReadFile("/proc/loadavg"); err == nil {
		load = ", load " + strings.Fields(string(avg))[0]
	}
	return fmt.Sprintf("%d × %s, %s%s", runtime.NumCPU(), model, runtime.GOOS, load)
}

func (b *bench) version(ctx context.Context) string {
	out, err := exec.CommandContext(ctx, b.teiten, "version").Output()
	if err != nil {
		return "teiten"
	}
	return strings.TrimSpace(string(out))
}

func median(d []time.Duration) time.Duration {
	s := slices.Sorted(slices.Values(d))
	return s[len(s)/2]
}

func ms(d time.Duration) string {
	if d < time.Second {
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}
