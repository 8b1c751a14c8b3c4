package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/teiten/teiten/test/program"
)

func (b *bench) size(context.Context) error {
	info, err := os.Stat(b.teiten)
	if err != nil {
		return err
	}
	b.add("binary", megabytes(info.Size()), "")
	b.how("binary: the file as `make build` writes it, with the browser's pages in it.")
	return nil
}

// startUp starts the program on an empty folder, and then again on a used one.
func (b *bench) startUp(ctx context.Context) error {
	const again = 5
	s := program.New(program.Options{Binary: b.teiten, Data: filepath.Join(b.dir, "start")})
	var first time.Duration
	var later []time.Duration
	for i := range again + 1 {
		began := time.Now()
		if err := s.Start(ctx); err != nil {
			return err
		}
		if i == 0 {
			first = time.Since(began)
		} else {
			later = append(later, time.Since(began))
		}
		if err := s.Stop(); err != nil {
			return err
		}
	}
	b.add("start-up, empty folder", ms(first), "")
	b.add("start-up", ms(median(later)), "< 2 s")
	b.how(fmt.Sprintf("start-up: from exec to the first answer of /healthz, with SQLite and the embedded store; the median of %d. On an empty folder the tables, and by this program an administrator and a token, are made as well.", again))
	return nil
}

// demo starts the example company and looks at the server when it has settled.
func (b *bench) demo(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	data := filepath.Join(b.dir, "demo")
	cmd := exec.CommandContext(ctx, b.teiten, "demo", "--data", data, "--listen", "127.0.0.1:0")
	cmd.Env = append(os.Environ(), "TEITEN_LANG=en")
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 30 * time.Second
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return err
	}
	link := make(chan struct{}, 1)
	go func() {
		for scan := bufio.NewScanner(out); scan.Scan(); {
			if strings.Contains(scan.Text(), "/signin?token=") {
				link <- struct{}{}
			}
		}
	}()
	select {
	case <-link:
	case <-time.After(5 * time.Minute):
		return errors.New("the demo did not start")
	}
	b.add("demo: from the start to the sign-in link", ms(time.Since(began)), "")
	if err := rest(ctx, time.Minute); err != nil {
		return err
	}
	cpu, err := used(ctx, b.watch, cmd.Process.Pid)
	if err != nil {
		return err
	}
	all, own, err := memory(cmd.Process.Pid)
	if err != nil {
		return err
	}
	b.add("demo: memory when idle", fmt.Sprintf("%s (%s its own)", megabytes(all), megabytes(own)), "< 150 MB")
	b.add("demo: CPU when idle", share(cpu[cmd.Process.Pid], b.watch), "< 3 %")
	b.how(fmt.Sprintf("demo: the example company with 35 days of history on an empty folder; a minute after the link, VmRSS (RssAnon is its own) and user+system time of the server's process over %s from /proc. The simulated shop is a process of its own and not counted; nobody looks at a page.", b.watch))
	cancel()
	_ = cmd.Wait() // it was interrupted
	return nil
}

// coldBuild builds as on a machine that has never built anything, except for
// the downloads.
func (b *bench) coldBuild(ctx context.Context) error {
	cache := filepath.Join(b.dir, "cache")
	began := time.Now()
	if _, err := os.Stat(filepath.Join(b.root, "web/node_modules")); err == nil {
		if err := b.command(ctx, filepath.Join(b.root, "web"), nil, "npx", "vite", "build", "--outDir", filepath.Join(b.dir, "dist"), "--emptyOutDir"); err != nil {
			return err
		}
		b.add("cold build, pages", ms(time.Since(began)), "")
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	began = time.Now()
	err := b.command(ctx, b.root, []string{"GOCACHE=" + cache}, "go", "build", "-trimpath", "-o", filepath.Join(b.dir, "teiten"), "./cmd/teiten")
	if err != nil {
		return err
	}
	b.add("cold build, program", ms(time.Since(began)), "")
	b.how("cold build: with an empty build cache, modules and packages already downloaded.")
	return nil
}

func (b *bench) command(ctx context.Context, dir string, env []string, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", name, err, out)
	}
	return nil
}

var sample = regexp.MustCompile(`(?m)^(\w+) (\S+)$`)

// metrics reads the program's own figures that have no labels.
func metrics(ctx context.Context, s *program.Server) (map[string]float64, error) {
	body, err := s.Text(ctx, "/metrics")
	if err != nil {
		return nil, err
	}
	values := map[string]float64{}
	for _, m := range sample.FindAllStringSubmatch(body, -1) {
		if v, err := strconv.ParseFloat(m[2], 64); err == nil {
			values[m[1]] = v
		}
	}
	return values, nil
}
