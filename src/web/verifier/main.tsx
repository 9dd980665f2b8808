import { render } from 'preact'
import '../theme.css'
import { VerifierPage } from './page.tsx'

const root = document.getElementById('app')
if (root === null) throw new Error('the page has no #app')
render(<VerifierPage />, root)
