use palisade_auth::{KeyId, KeyPage, ListRequest, StoredKey};
use palisade_core::Timestamp;

/// The contract, as plainly as it can be said: a list of keys that is read from one end to the other.
#[derive(Debug, Default)]
pub(super) struct Oracle {
    keys: Vec<StoredKey>,
}

impl Oracle {
    pub(super) fn find(&self, id: KeyId) -> Option<StoredKey> {
        self.keys.iter().find(|key| key.id == id).cloned()
    }

    pub(super) fn put(&mut self, key: StoredKey) -> bool {
        let free = self.find(key.id).is_none();
        if free {
            self.keys.push(key);
        }
        free
    }

    pub(super) fn revoke(&mut self, id: KeyId, at: Timestamp) -> bool {
        for key in &mut self.keys {
            if key.id == id {
                if key.revoked_at.is_none() {
                    key.revoked_at = Some(at);
                }
                return true;
            }
        }
        false
    }

    pub(super) fn list(&self, request: ListRequest<'_>) -> KeyPage {
        let mut all = Vec::new();
        for key in &self.keys {
            let of_org = key.principal.org() == request.org;
            let of_project =
                request.project.is_none() || key.principal.project() == request.project;
            let after = request.after.is_none_or(|after| key.id > after);
            if of_org && of_project && after {
                all.push(key.clone());
            }
        }
        all.sort_by_key(|key| key.id);
        let more = all.len() > request.limit();
        all.truncate(request.limit());
        let next = if more {
            all.last().map(|last| last.id)
        } else {
            None
        };
        KeyPage::new(all, next)
    }
}
