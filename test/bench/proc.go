package main

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// ticksPerSecond is the unit of /proc/<pid>/stat on Linux.
const ticksPerSecond = 100

// cpuTime is what a process has used so far, in user and kernel together.
func cpuTime(pid int) (time.Duration, error) {
	body, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(body), ") ") // the name may hold spaces
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0, fmt.Errorf("/proc/%d/stat is too short", pid)
	}
	var ticks int64
	for _, f := range fields[11:13] {
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			return 0, err
		}
		ticks += n
	}
	return time.Duration(ticks) * time.Second / ticksPerSecond, nil
}

var (
	resident  = regexp.MustCompile(`VmRSS:\s+(\d+) kB`)
	anonymous = regexp.MustCompile(`RssAnon:\s+(\d+) kB`)
)

// memory is what a process has in memory: all of it, and the part that is not
// backed by a file.
func memory(pid int) (all, own int64, err error) {
	body, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, 0, err
	}
	kb := func(r *regexp.Regexp) int64 {
		if m := r.FindSubmatch(body); m != nil {
			n, err := strconv.ParseInt(string(m[1]), 10, 64)
			if err == nil {
				return n << 10
			}
		}
		return 0
	}
	return kb(resident), kb(anonymous), nil
}

// usage is what processes used over a time.
type usage map[int]time.Duration

// used waits and returns what each process used meanwhile.
func used(ctx context.Context, over time.Duration, pids ...int) (usage, error) {
	before := usage{}
	for _, pid := range pids {
		t, err := cpuTime(pid)
		if err != nil {
			return nil, err
		}
		before[pid] = t
	}
	if err := rest(ctx, over); err != nil {
		return nil, err
	}
	after := usage{}
	for _, pid := range pids {
		t, err := cpuTime(pid)
		if err != nil {
			return nil, err
		}
		after[pid] = t - before[pid]
	}
	return after, nil
}

func rest(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// share writes a time used over another as a share of one core.
func share(cpu, over time.Duration) string {
	return fmt.Sprintf("%.1f %% of a core", 100*cpu.Seconds()/over.Seconds())
}

func megabytes(n int64) string { return fmt.Sprintf("%.0f MB", float64(n)/(1<<20)) }
