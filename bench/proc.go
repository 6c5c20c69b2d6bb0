package main

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"
)

const tick = 10 * time.Millisecond // USER_HZ is 100 on every Linux that Go runs on

// cpuTime returns the processor time that a process has used, from /proc, by ticks of 10 ms.
func cpuTime(pid int) (time.Duration, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, fmt.Errorf("cannot read the processor time of process %d; this needs Linux: %w", pid, err)
	}
	return parseCPU(string(text))
}

// parseCPU adds user and system time of a stat line. The name, in parentheses, may hold spaces.
func parseCPU(stat string) (time.Duration, error) {
	const user, system = 11, 12 // counted after the name
	fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	if len(fields) <= system {
		return 0, fmt.Errorf("a stat line of /proc has another form than known: %q", stat)
	}
	var ticks int64
	for _, field := range []string{fields[user], fields[system]} {
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("a stat line of /proc has another form than known: %w", err)
		}
		ticks += n
	}
	return time.Duration(ticks) * tick, nil
}

// busyNotice says that other programs keep the processors busy, empty when they do not: then times mean little, processor time still does.
func busyNotice() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "" // not on Linux; the measuring will say so
	}
	return describeLoad(string(text), runtime.NumCPU())
}

func describeLoad(loadavg string, processors int) string {
	lastMinute, _, _ := strings.Cut(loadavg, " ")
	load, err := strconv.ParseFloat(lastMinute, 64)
	if err != nil || load < float64(processors) {
		return ""
	}
	return fmt.Sprintf("the machine is busy with other things (load %g on %d processors): take rates and times with care", load, processors)
}

// memory of a process in RAM, in MB of 2^20 bytes. What is not its own are pages of files, mostly the program itself, which the kernel may drop.
type memory struct{ resident, own float64 }

func memoryOf(pid int) (memory, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return memory{}, fmt.Errorf("cannot read the memory of process %d; this needs Linux: %w", pid, err)
	}
	return parseMemory(string(text))
}

func parseMemory(status string) (m memory, err error) {
	for line := range strings.Lines(status) {
		name, rest, _ := strings.Cut(line, ":")
		into := map[string]*float64{"VmRSS": &m.resident, "RssAnon": &m.own}[name]
		if into == nil {
			continue
		}
		kB, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 64)
		if err != nil {
			return m, fmt.Errorf("the status of a process has another form than known: %w", err)
		}
		*into = kB / 1024
	}
	if m.resident == 0 || m.own == 0 {
		return m, errors.New("the status of the process names no memory; has it ended?")
	}
	return m, nil
}
