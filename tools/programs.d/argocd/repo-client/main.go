// argocd-repo-client calls a repo-server as Argo CD's controller and API server do.
//
//	argocd-repo-client ADDRESS <REQUESTS >ANSWERS
//
// Each line of standard input is a Request in JSON; for each there is a line with an Answer. Times are in milliseconds.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"google.golang.org/grpc/status"

	"github.com/argoproj/argo-cd/v3/pkg/apis/application/v1alpha1"
	"github.com/argoproj/argo-cd/v3/reposerver/apiclient"
	"github.com/argoproj/argo-cd/v3/util/tgzstream"
	"github.com/argoproj/argo-cd/v3/util/tls"
)

// Request is one call, or several of the same.
type Request struct {
	// Call is `generate`, `upload` (of Directory, as `argocd app diff --local --server-side-generate` does) or `details`.
	Call        string `json:"call"`
	Directory   string `json:"directory"`
	Application string `json:"application"`
	Project     string `json:"project"`
	// Namespace is the one of the destination.
	Namespace string                     `json:"namespace"`
	Source    v1alpha1.ApplicationSource `json:"source"`
	NoCache   bool                       `json:"noCache"`
	// LabelKey is the label that says whose a resource is; none where it is empty.
	LabelKey string `json:"labelKey"`
	// Timeout is the deadline that is sent along; Argo CD's own is 60 s.
	Timeout int `json:"timeout"`
	// CancelAfter is when the caller hangs up; never where it is 0.
	CancelAfter int `json:"cancelAfter"`
	// Count is how often to call, and Parallel how many calls there are at a time; both are at least 1.
	Count    int `json:"count"`
	Parallel int `json:"parallel"`
}

// Result is what one call gave.
type Result struct {
	Manifests    []string                           `json:"manifests"`
	Parameters   []*apiclient.ParameterAnnouncement `json:"parameters"`
	SourceType   string                             `json:"sourceType"`
	Code         string                             `json:"code"`
	Error        string                             `json:"error"`
	Milliseconds float64                            `json:"milliseconds"`
}

// Answer is what all calls of a request gave, and how long they took together.
type Answer struct {
	Results      []Result `json:"results"`
	Milliseconds float64  `json:"milliseconds"`
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run() error {
	if len(os.Args) != 2 {
		return errors.New("usage: argocd-repo-client ADDRESS")
	}
	connection, client, err := apiclient.NewRepoServerClientset(os.Args[1], 0, tls.Configuration{DisableTLS: true}).NewRepoServerClient()
	if err != nil {
		return err
	}
	defer func() { _ = connection.Close() }()
	lines := bufio.NewReader(os.Stdin)
	answers := json.NewEncoder(os.Stdout)
	answers.SetEscapeHTML(false)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			var request Request
			if err := json.Unmarshal(line, &request); err != nil {
				return err
			}
			if err := answers.Encode(all(client, &request)); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// all makes the calls of a request.
func all(client apiclient.RepoServerServiceClient, request *Request) Answer {
	count, parallel := max(request.Count, 1), max(request.Parallel, 1)
	results := make([]Result, count)
	numbers := make(chan int)
	var callers sync.WaitGroup
	start := time.Now()
	for range parallel {
		callers.Go(func() {
			for number := range numbers {
				results[number] = one(client, request)
			}
		})
	}
	for number := range count {
		numbers <- number
	}
	close(numbers)
	callers.Wait()
	return Answer{Results: results, Milliseconds: since(start)}
}

// one makes one call.
func one(client apiclient.RepoServerServiceClient, request *Request) Result {
	timeout := 60 * time.Second
	if request.Timeout > 0 {
		timeout = time.Duration(request.Timeout) * time.Millisecond
	}
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	if request.CancelAfter > 0 {
		hangUp := time.AfterFunc(time.Duration(request.CancelAfter)*time.Millisecond, cancel)
		defer hangUp.Stop()
	}
	start := time.Now()
	result, err := call(ctx, client, request)
	result.Milliseconds = since(start)
	if err != nil {
		result.Code = status.Code(err).String()
		result.Error = err.Error()
	}
	return result
}

func call(ctx context.Context, client apiclient.RepoServerServiceClient, request *Request) (Result, error) {
	repository := &v1alpha1.Repository{Repo: request.Source.RepoURL}
	switch request.Call {
	case "generate":
		return manifests(client.GenerateManifest(ctx, manifestRequest(request, repository)))
	case "upload":
		return upload(ctx, client, request, repository)
	case "details":
		details, err := client.GetAppDetails(ctx, &apiclient.RepoServerAppDetailsQuery{
			Repo: repository, Source: &request.Source, AppName: request.Application, NoCache: request.NoCache,
		})
		if err != nil {
			return Result{}, err
		}
		return Result{SourceType: details.Type, Parameters: details.GetPlugin().GetParametersAnnouncement()}, nil
	default:
		return Result{}, fmt.Errorf("there is no call %q", request.Call)
	}
}

func manifestRequest(request *Request, repository *v1alpha1.Repository) *apiclient.ManifestRequest {
	return &apiclient.ManifestRequest{
		Repo: repository, Revision: request.Source.TargetRevision, NoCache: request.NoCache, AppLabelKey: request.LabelKey,
		AppName: request.Application, Namespace: request.Namespace, ProjectName: request.Project,
		ApplicationSource: &request.Source, KubeVersion: "v1.37.2", ApiVersions: []string{"v1", "apps/v1"},
		ProjectSourceRepos: []string{"*"},
	}
}

func manifests(response *apiclient.ManifestResponse, err error) (Result, error) {
	if err != nil {
		return Result{}, err
	}
	return Result{Manifests: response.Manifests, SourceType: response.SourceType}, nil
}

// upload renders files of the caller's own.
func upload(ctx context.Context, client apiclient.RepoServerServiceClient, request *Request, repository *v1alpha1.Repository) (Result, error) {
	file, _, checksum, err := tgzstream.CompressFiles(request.Directory, nil, nil)
	if err != nil {
		return Result{}, err
	}
	defer tgzstream.CloseAndDelete(file)
	stream, err := client.GenerateManifestWithFiles(ctx)
	if err != nil {
		return Result{}, err
	}
	parts := []*apiclient.ManifestRequestWithFiles{
		{Part: &apiclient.ManifestRequestWithFiles_Request{Request: manifestRequest(request, repository)}},
		{Part: &apiclient.ManifestRequestWithFiles_Metadata{Metadata: &apiclient.ManifestFileMetadata{Checksum: checksum}}},
	}
	content, err := io.ReadAll(file)
	if err != nil {
		return Result{}, err
	}
	parts = append(parts, &apiclient.ManifestRequestWithFiles{
		Part: &apiclient.ManifestRequestWithFiles_Chunk{Chunk: &apiclient.ManifestFileChunk{Chunk: content}},
	})
	for _, part := range parts {
		// What is wrong is said at the end.
		if err := stream.Send(part); err != nil && !errors.Is(err, io.EOF) {
			return Result{}, err
		}
	}
	return manifests(stream.CloseAndRecv())
}

func since(start time.Time) float64 {
	return float64(time.Since(start).Microseconds()) / 1000
}
