module programs/argocd-vault-plugin

go 1.26.0

tool github.com/argoproj-labs/argocd-vault-plugin

require github.com/argoproj-labs/argocd-vault-plugin v1.18.1
