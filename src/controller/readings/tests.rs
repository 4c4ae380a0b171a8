use std::sync::Arc;

use http::{Request, Response};
use kube::Client;
use kube::client::Body;
use serde_json::{Value, json};

use super::*;
use crate::controller::metrics::Metrics;

/// An API server that answers so to a path.
fn api(answer: impl Fn(&str) -> (u16, Value) + Clone + Send + 'static) -> (Api, Arc<Metrics>) {
    let service = tower::service_fn(move |request: Request<Body>| {
        let (status, body) = answer(request.uri().path());
        let body = Body::from(body.to_string().into_bytes());
        let response = Response::builder().status(status).body(body).unwrap();
        async move { Ok::<_, tower::BoxError>(response) }
    });
    let metrics = Arc::<Metrics>::default();
    let client = Client::new(service, "default");
    (Api::new(client, Arc::clone(&metrics)), metrics)
}

fn set(name: &str) -> OwnerName {
    OwnerName::ApplicationSet(Name::new("argocd", name))
}

#[tokio::test]
async fn requests_are_counted_by_what_was_answered() {
    let (api, metrics) = api(|path| match path {
        "/apis/argoproj.io/v1alpha1/namespaces/argocd/applicationsets/there" => (
            200,
            json!({"metadata": {"namespace": "argocd", "name": "there"}}),
        ),
        "/apis/argoproj.io/v1alpha1/namespaces/argocd/applicationsets/absent" => (404, json!({})),
        _ => (403, json!({})),
    });
    let there = owner(&api, &set("there")).await;
    assert!(matches!(there, Ok(Owner::ApplicationSet(_))), "{there:?}");
    assert!(matches!(
        owner(&api, &set("absent")).await,
        Ok(Owner::Absent)
    ));
    assert_eq!(
        owner(&api, &set("secret"))
            .await
            .map_err(|no| no.code)
            .err(),
        Some(403)
    );
    let text = metrics.text();
    for code in [200, 403, 404] {
        let line = format!("requests_total{{verb=\"get\",code=\"{code}\"}} 1\n");
        assert!(text.contains(&line), "{code}\n{text}");
    }
    assert!(!text.contains("code=\"0\""), "{text}");
}

#[tokio::test]
async fn what_is_read_comes_back_and_may_be_asked_for_again() {
    let (api, _) = api(|path| match path {
        "/api/v1/namespaces/argocd/configmaps/argocd-cm" => (
            200,
            json!({"data": {"application.instanceLabelKey": "ours"}}),
        ),
        _ => (403, json!({})),
    });
    let mut readings = Readings::default();
    let now = Instant::now();
    let application = Name::new("argocd", "lamp");
    readings.owners.want(&set("a"), &application, now);
    readings.start(&api, "argocd", now);
    let mut has_instance = false;
    for _ in 0..2 {
        match readings.next().await.unwrap() {
            Reading::Owner(name, owner) => {
                assert!(matches!(owner, Owner::Unreadable));
                let mut waiting = readings.owner_came(&name, &owner, now);
                assert_eq!(waiting.next(), Some(application.clone()));
            }
            Reading::Instance(instance) => {
                has_instance = instance.is_some();
                readings.instance_came(now);
            }
        }
    }
    assert!(has_instance && readings.has_instance());
    assert!(readings.next().await.is_none());
}
